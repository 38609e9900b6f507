import { expect } from 'chai';
import { Judged, machineWith, NOTHING, PLENTY, seen } from './judged.test.ts';
import { metadataAddresses, metadataPages } from './metadata.ts';

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

  // Three pages, guarded, and their array, which is part of a page.
  it('may fail only if the target shows too few pages or addresses for it and its page array', () => {
    const judged = new Judged({ reserve: 1 });
    const errnos = (bytes: number, free: number, hole: number): string[] =>
      judged.errnos('kvmalloc', { bytes }, seen({ free, hole, orders: [] }));
    expect(errnos(192, 5, 4)).to.deep.equal([]);
    expect(errnos(192, 4, 4)).to.deep.equal(['ENOMEM']);
    expect(errnos(192, 5, 3)).to.deep.equal(['ENOMEM']);
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
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 15 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 16 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 128 }, { memory: 30 * 64 })).to.equal('content');
    expect(judged.to('kvmalloc', { bytes: 129 }, { memory: 30 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 1 }, { memory: 32 * 64 })).to.equal(NOBODYS);
    expect(judged.to('kvmalloc', { bytes: 1 }, { memory: -8 })).to.equal(NOBODYS);
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
  it('counts the pages, those of the array that lists them, and so on', () => {
    const machine = machineWith();
    const cases = [
      [0, 0, 0],
      [64, 1, 0],
      [65, 3, 3],
      [8 * 64, 9, 9],
      [9 * 64, 12, 13],
      [65 * 64, 77, 79],
    ];
    for (const [bytes = 0, pages, addresses] of cases) {
      expect(metadataPages(machine, bytes), `pages of ${bytes}`).to.equal(pages);
      expect(metadataAddresses(machine, bytes), `addresses of ${bytes}`).to.equal(addresses);
    }
  });
});
