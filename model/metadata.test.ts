import { expect } from 'chai';
import { KIND } from './index.ts';
import { Judged, machineWith, NOTHING, PLENTY, seen } from './judged.test.ts';
import { BY, hasRoom, liveMemory, metadataAddresses, metadataPages } from './metadata.ts';

const WHOLE = 'contiguous memory that nobody holds (C1)';
const HOLE = 'kernel addresses that nobody has, and a guard page (S3)';
const NOBODYS = 'kernel memory that nobody holds (C1)';

describe('kvmalloc', () => {
  it('gives 16 for no bytes, and has no reason to fail', () => {
    const judged = new Judged({ pages: 1, occupied: [[0, 1]] });
    expect(judged.to('kvmalloc', { bytes: 0 }, { memory: 16 })).to.equal('content');
    for (const memory of [0, 8, 64]) {
      expect(judged.to('kvmalloc', { bytes: 0 }, { memory })).to.equal('the pointer for no bytes (P1)');
    }
    expect(judged.errnos('kvmalloc', { bytes: 0 }, NOTHING)).to.deep.equal([]);
  });

  it('refuses sizes that wrapped, or are larger than memory', () => {
    const judged = new Judged();
    for (const bytes of [-1, 2 ** 31, 2 ** 64, 16 * 64 + 1]) {
      expect(judged.errnos('kvmalloc', { bytes })).to.deep.equal(['ENOMEM']);
    }
    expect(judged.to('kvmalloc', { bytes: -1 }, { memory: 64 })).to.equal('refuse ENOMEM (P2)');
    expect(judged.to('kvmalloc', { bytes: 2 ** 31 }, { memory: 64 })).to.equal('refuse ENOMEM (P2)');
    expect(judged.to('kvmalloc', { bytes: 16 * 64 + 1 }, { memory: 64 })).to.equal('refuse ENOMEM (P1)');
    expect(judged.errnos('kvmalloc', { bytes: 16 * 64 })).to.deep.equal([]);
  });

  it('leaves the reserve alone above a page; a part of a page need not be a new one', () => {
    const judged = new Judged({ pages: 4, reserve: 4 });
    expect(judged.errnos('kvmalloc', { bytes: 65 })).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('kvmalloc', { bytes: 64 })).to.deep.equal([]);
  });

  it('owes M2a up to a page, and M2b above it', () => {
    const judged = new Judged();
    expect(judged.toErrno('kvmalloc', { bytes: 64 }, 'ENOMEM')).to.equal('no ENOMEM (M2a)');
    expect(judged.toErrno('kvmalloc', { bytes: 65 }, 'ENOMEM')).to.equal('no ENOMEM (M2b)');
  });

  it('recovers from a failed contiguous attempt', () => {
    const fired = (site: string): string[] =>
      new Judged().errnos('kvmalloc', { bytes: 65 }, seen({ ...PLENTY, fired: [site] }));
    expect(fired('kmalloc_large')).to.deep.equal([]);
    expect(fired('vmalloc')).to.deep.equal(['ENOMEM']);
    expect(fired('kmalloc')).to.deep.equal(['ENOMEM']);
  });

  // Three pages, guarded, their array, which is part of a page, and three kernel tables.
  it('may fail only if the target shows too few pages or addresses for it and its page array', () => {
    const judged = new Judged({ reserve: 1 });
    const errnos = (bytes: number, free: number, hole: number): string[] =>
      judged.errnos('kvmalloc', { bytes }, seen({ free, hole, orders: [] }));
    expect(errnos(192, 8, 4)).to.deep.equal([]);
    expect(errnos(192, 7, 4)).to.deep.equal(['ENOMEM']);
    expect(errnos(192, 8, 3)).to.deep.equal(['ENOMEM']);
    expect(errnos(64, 2, 0)).to.deep.equal([]);
    expect(errnos(64, 1, 9)).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('kvmalloc', { bytes: 1 }, NOTHING)).to.deep.equal(['ENOMEM']);
  });

  it('lets small pieces share a page, and nothing else', () => {
    const judged = new Judged();
    judged.make('kvmalloc', { bytes: 9 }, { memory: 128 });
    expect(judged.to('kvmalloc', { bytes: 8 }, { memory: 144 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 8 }, { memory: 120 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 8 }, { memory: 136 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 9 }, { memory: 120 })).to.equal(NOBODYS);
    expect(judged.to('alloc_pages', { order: 0 }, { pfn: 2 })).to.equal('a block that nobody holds (C1)');
  });

  it('keeps pages of the linear map for as long as something is in them', () => {
    const judged = new Judged();
    const kinds = (): (readonly number[])[] =>
      [...judged.world.kind.values]
        .map((kind, page) => [page, kind] as const)
        .filter(([, kind]) => kind !== 0);
    judged.make('kvmalloc', { bytes: 65 }, { memory: 128 });
    judged.make('kvmalloc', { bytes: 8 }, { memory: 200 });
    judged.make('kvmalloc', { bytes: 65 }, { memory: 20 * 64 });
    expect(kinds()).to.deep.equal([
      [2, KIND.META],
      [3, KIND.META],
    ]);
    judged.make('kvfree', { memory: 128 }, {});
    expect(kinds()).to.deep.equal([[3, KIND.META]]);
    for (const memory of [200, 20 * 64]) judged.make('kvfree', { memory }, {});
    judged.expectBooted();
  });

  it('gives aligned pointers', () => {
    for (const memory of [4, 129, 128.5, Number.NaN]) {
      expect(new Judged().to('kvmalloc', { bytes: 1 }, { memory })).to.equal('an aligned pointer (P1)');
    }
  });

  it('gives linear memory out of pages that nobody holds, where pages have numbers', () => {
    for (const [pageNumbers, said] of [
      [true, NOBODYS],
      [false, 'content'],
    ] as const) {
      const judged = new Judged({ occupied: [[3, 1]] }, pageNumbers);
      expect(judged.to('kvmalloc', { bytes: 65 }, { memory: 128 })).to.equal(said);
      expect(judged.to('kvmalloc', { bytes: 64 }, { memory: 128 })).to.equal('content');
    }
  });

  it('gives page 0 like every other page', () => {
    expect(new Judged().to('kvmalloc', { bytes: 8 }, { memory: 0 })).to.equal('content');
  });

  it('gives memory inside the linear map or inside vmalloc space, never across', () => {
    const judged = new Judged();
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 14 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 13 * 64 })).to.equal('an aligned pointer (P1)');
    expect(judged.to('kvmalloc', { bytes: 192 }, { memory: 13 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 192 }, { memory: 15 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 17 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 16 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 29 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 30 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 64 }, { memory: 16 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 1 }, { memory: 32 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 1 }, { memory: -8 })).to.equal(NOBODYS);
  });
});

describe('kmalloc', () => {
  it('gives 16 for no bytes, and has no reason to fail', () => {
    const judged = new Judged();
    expect(judged.to('kmalloc', { bytes: 0 }, { memory: 16 })).to.equal('content');
    expect(judged.to('kmalloc', { bytes: 0 }, { memory: 64 })).to.equal('the pointer for no bytes (P1)');
    expect(judged.errnos('kmalloc', { bytes: 0 }, NOTHING)).to.deep.equal([]);
  });

  it('refuses what no block holds, and what nobody could have', () => {
    const judged = new Judged();
    for (const bytes of [-1, 4 * 64 + 1, 2 ** 64]) {
      expect(judged.errnos('kmalloc', { bytes })).to.deep.equal(['ENOMEM']);
      expect(judged.to('kmalloc', { bytes }, { memory: 64 })).to.equal('refuse ENOMEM (P2)');
    }
    expect(judged.errnos('kmalloc', { bytes: 4 * 64 })).to.deep.equal([]);
    const small = new Judged({ pages: 2, reserve: 1 });
    expect(small.to('kmalloc', { bytes: 65 }, { memory: 0 })).to.equal('refuse ENOMEM (P1)');
    expect(small.to('kmalloc', { bytes: 64 }, { memory: 0 })).to.equal('content');
  });

  it('gives pointers aligned to the size, where that is a power of two', () => {
    for (const [bytes, step] of [
      [1, 8],
      [8, 8],
      [9, 8],
      [16, 16],
      [32, 32],
      [33, 8],
      [64, 64],
      [65, 8],
      [128, 128],
      [192, 8],
      [256, 256],
    ] as const) {
      const aligned = [8, 16, 32, 64, 128, 256].filter(
        (memory) => new Judged().to('kmalloc', { bytes }, { memory }) !== 'an aligned pointer (P1)',
      );
      expect(Math.min(...aligned), `${bytes} bytes`).to.equal(step);
    }
  });

  it('gives memory of the linear map, out of pages that nobody holds', () => {
    const judged = new Judged({ occupied: [[3, 1]] });
    judged.make('vmalloc', { bytes: 64 }, { memory: 20 * 64 });
    expect(judged.to('kmalloc', { bytes: 128 }, { memory: 14 * 64 })).to.equal('content');
    for (const page of [2, 3, 15, 16, 22, 40, -2]) {
      expect(judged.to('kmalloc', { bytes: 127 }, { memory: page * 64 }), `page ${page}`).to.equal(WHOLE);
    }
    expect(new Judged({ occupied: [[3, 1]] }, false).to('kmalloc', { bytes: 8 }, { memory: 192 })).to.equal(
      'content',
    );
  });

  it('must succeed up to a page when there is one, above where there is a block to cut it from', () => {
    const judged = new Judged({ reserve: 1 });
    const errnos = (bytes: number, free: number, orders: readonly number[]): string[] =>
      judged.errnos('kmalloc', { bytes }, seen({ free, hole: 0, orders }));
    expect(errnos(64, 2, [1])).to.deep.equal([]);
    expect(errnos(64, 1, [1])).to.deep.equal(['ENOMEM']);
    expect(errnos(129, 5, [3])).to.deep.equal([]);
    expect(errnos(129, 5, [2])).to.deep.equal(['ENOMEM']);
    expect(errnos(129, 4, [3])).to.deep.equal(['ENOMEM']);
    expect(judged.toErrno('kmalloc', { bytes: 64 }, 'ENOMEM')).to.equal('no ENOMEM (M2a)');
    expect(judged.toErrno('kmalloc', { bytes: 65 }, 'ENOMEM')).to.equal('no ENOMEM (M1)');
  });

  it('holds the pages that it is in, each once', () => {
    const judged = new Judged();
    const held = (): number => judged.world.held.get(0);
    judged.make('kmalloc', { bytes: 8 }, { memory: 192 });
    judged.make('kmalloc', { bytes: 32 }, { memory: 224 });
    expect(held()).to.equal(1);
    judged.make('kmalloc', { bytes: 130 }, { memory: 256 });
    expect(held()).to.equal(4);
    judged.make('kfree', { memory: 192 }, {});
    expect(held()).to.equal(4);
    for (const memory of [224, 256]) judged.make('kfree', { memory }, {});
    expect(held()).to.equal(0);
  });
});

describe('vmalloc', () => {
  it('gives addresses of vmalloc space with a guard page behind, also for part of a page', () => {
    const judged = new Judged();
    judged.make('vmalloc', { bytes: 65 }, { memory: 20 * 64 });
    for (const [bytes, page] of [
      [1, 19],
      [1, 20],
      [1, 21],
      [129, 18],
      [1, 31],
      [1, 15],
      [1, 2],
      [1, 99],
      [1, 24.5],
    ] as const) {
      expect(judged.to('vmalloc', { bytes }, { memory: page * 64 }), `${bytes} at ${page}`).to.equal(HOLE);
    }
    for (const page of [16, 18, 23, 30]) {
      expect(judged.to('vmalloc', { bytes: 1 }, { memory: page * 64 })).to.equal('content');
    }
  });

  it('refuses no bytes, and more pages than anybody could have', () => {
    const judged = new Judged({ reserve: 2 });
    for (const bytes of [0, -1, 14 * 64 + 1, 2 ** 64]) {
      expect(judged.errnos('vmalloc', { bytes })).to.deep.equal(['ENOMEM']);
      expect(judged.to('vmalloc', { bytes }, { memory: 16 * 64 })).to.equal('refuse ENOMEM (P2)');
    }
    expect(judged.errnos('vmalloc', { bytes: 14 * 64 })).to.deep.equal([]);
  });

  // A page, guarded, its array, which is part of a page, and three kernel tables; then nine pages: their array
  // has two, and so an array of its own.
  it('must succeed when the target shows pages and addresses for it', () => {
    const judged = new Judged({ reserve: 1 });
    const errnos = (free: number, hole: number): string[] =>
      judged.errnos('vmalloc', { bytes: 8 }, seen({ free, hole, orders: [] }));
    expect(errnos(6, 2)).to.deep.equal([]);
    expect(errnos(5, 2)).to.deep.equal(['ENOMEM']);
    expect(errnos(6, 1)).to.deep.equal(['ENOMEM']);
    const large = (free: number, hole: number): string[] =>
      judged.errnos('vmalloc', { bytes: 9 * 64 }, seen({ free, hole, orders: [] }));
    expect(large(21, 13)).to.deep.equal([]);
    expect(large(20, 13)).to.deep.equal(['ENOMEM']);
    expect(large(21, 12)).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('vmalloc', { bytes: 8 }, NOTHING)).to.deep.equal(['ENOMEM']);
    expect(judged.toErrno('vmalloc', { bytes: 8 }, 'ENOMEM')).to.equal('no ENOMEM (M2b)');
  });

  it('holds as many pages as it has, wherever they are', () => {
    const judged = new Judged({ pages: 4, vmallocPages: 16 });
    judged.make('vmalloc', { bytes: 129 }, { memory: 8 * 64 });
    expect(judged.errnos('alloc_pages', { order: 1 })).to.deep.equal(['ENOMEM']);
    expect(judged.errnos('alloc_pages', { order: 0 })).to.deep.equal([]);
    judged.make('vfree', { memory: 8 * 64 }, {});
    expect(judged.errnos('alloc_pages', { order: 2 })).to.deep.equal([]);
  });
});

describe('kfree, vfree and kvfree', () => {
  const three = (): Judged => {
    const judged = new Judged();
    judged.make('kmalloc', { bytes: 8 }, { memory: 64 });
    judged.make('vmalloc', { bytes: 100 }, { memory: 20 * 64 });
    judged.make('kvmalloc', { bytes: 8 }, { memory: 72 });
    return judged;
  };

  it('are sent for what their own call gave; kvfree takes all', () => {
    const judged = three();
    const sent = (op: 'kfree' | 'vfree' | 'kvfree'): number[] =>
      [64, 72, 20 * 64, 16, 0, 21 * 64, 65, -8, 2 ** 60].filter(
        (memory) => judged.undue(op, { memory }) !== 'the memory is allocated',
      );
    expect(sent('kfree')).to.deep.equal([64, 16]);
    expect(sent('vfree')).to.deep.equal([20 * 64]);
    expect(sent('kvfree')).to.deep.equal([64, 72, 20 * 64, 16]);
  });

  it('tell the pointer for no bytes from memory that is there', () => {
    const judged = new Judged();
    judged.make('kvmalloc', { bytes: 8 }, { memory: 16 });
    expect(judged.undue('kfree', { memory: 16 })).to.equal('the memory is allocated');
    expect(judged.undue('kvfree', { memory: 16 })).to.equal(undefined);
  });

  it('give all back', () => {
    const judged = three();
    expect([BY.KMALLOC, BY.VMALLOC, BY.KVMALLOC].map((by) => liveMemory(judged.world, by))).to.deep.equal([
      [64],
      [20 * 64],
      [72],
    ]);
    for (const op of ['kfree', 'vfree', 'kvfree'] as const) {
      const memory = { kfree: 64, vfree: 20 * 64, kvfree: 72 }[op];
      expect(judged.errnos(op, { memory }, NOTHING)).to.deep.equal([]);
      expect(judged.toErrno(op, { memory }, 'EINVAL')).to.equal('no EINVAL (P1)');
      judged.make(op, { memory }, {});
    }
    expect(judged.world.state.words).to.deep.equal(new Judged().world.state.words);
  });
});

describe('kvfree', () => {
  it('is sent for what kvmalloc gave, once', () => {
    const judged = new Judged();
    judged.make('kvmalloc', { bytes: 200 }, { memory: 20 * 64 });
    for (const memory of [0, 8, 21 * 64, 20 * 64 + 1, -8, 2 ** 60]) {
      expect(judged.undue('kvfree', { memory })).to.equal('the memory is allocated');
    }
    judged.make('kvfree', { memory: 20 * 64 }, {});
    expect(judged.undue('kvfree', { memory: 20 * 64 })).to.equal('the memory is allocated');
  });

  it('gives back all the words that were taken', () => {
    const judged = new Judged();
    const before = judged.world.state.save();
    for (const bytes of [1, 64, 100]) {
      judged.make('kvmalloc', { bytes }, { memory: 192 });
      expect(judged.errnos('kvfree', { memory: 192 }, NOTHING)).to.deep.equal([]);
      judged.make('kvfree', { memory: 192 }, {});
      expect(judged.world.state.words).to.deep.equal(before);
    }
  });

  it('takes the pointer for no bytes at any time, and does nothing', () => {
    const judged = new Judged();
    const before = judged.world.state.save();
    judged.make('kvfree', { memory: 16 }, {});
    expect(judged.world.state.words).to.deep.equal(before);
    expect(judged.toErrno('kvfree', { memory: 16 }, 'EINVAL')).to.equal('no EINVAL (P1)');
  });
});

describe('metadataPages', () => {
  it('counts the pages, those of the array that lists them, and so on, and kernel tables for each', () => {
    const machine = machineWith();
    const cases = [
      [0, 0, 0],
      [64, 1, 0],
      [65, 6, 3],
      [8 * 64, 13, 9],
      [9 * 64, 20, 13],
      [65 * 64, 104, 79],
    ];
    for (const [bytes = 0, pages, addresses] of cases) {
      expect(metadataPages(machine, bytes), `pages of ${bytes}`).to.equal(pages);
      expect(metadataAddresses(machine, bytes), `addresses of ${bytes}`).to.equal(addresses);
    }
  });
});

describe('hasRoom', () => {
  it('asks for pages beside the metadata, and wants to be shown both pages and addresses', () => {
    const { world } = new Judged();
    const shown = seen({ free: 5, hole: 0, orders: [] });
    expect(hasRoom(world, 8, shown, 4)).to.equal(true);
    expect(hasRoom(world, 8, shown, 5)).to.equal(false);
    expect(hasRoom(world, 65, shown)).to.equal(false);
    expect(hasRoom(world, 0, NOTHING)).to.equal(false);
  });
});
