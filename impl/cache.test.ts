import { expect } from 'chai';
import fc from 'fast-check';
import type { CpuCache } from './cache.ts';
import { boot, type Kernel } from './kernel.ts';

const PAGES = 8;
const LINES = 4;

/** A cache that is a map, over memory that is an array: what ours must be like. */
class NaiveCache {
  readonly memory: number[] = Array.from({ length: PAGES * LINES }, () => 0xa5);
  readonly copies = new Map<number, { tag: number; dirty: boolean }>();

  read(line: number): number {
    const copy = this.copies.get(line) ?? { tag: this.memory[line] ?? -1, dirty: false };
    this.copies.set(line, copy);
    return copy.tag;
  }

  write(line: number, tag: number): void {
    this.copies.set(line, { tag, dirty: true });
  }

  clean(line: number): void {
    const copy = this.copies.get(line);
    if (copy?.dirty !== true) return;
    this.memory[line] = copy.tag;
    this.copies.set(line, { tag: copy.tag, dirty: false });
  }

  evict(n: number): void {
    const lines = [...this.copies.keys()].sort((a, b) => a - b);
    const line = lines[n % lines.length];
    if (line === undefined) return;
    this.clean(line);
    this.copies.delete(line);
  }

  move(from: number, to: number): void {
    const copy = this.copies.get(from);
    this.memory[to] = this.memory[from] ?? -1;
    this.copies.delete(from);
    if (copy === undefined) this.copies.delete(to);
    else this.copies.set(to, copy);
  }
}

type Step = readonly [op: number, page: number, line: number, tag: number];

const eachLine = (page: number, visit: (line: number) => void): void => {
  for (let line = 0; line < LINES; line++) visit(page * LINES + line);
};

function take(cache: CpuCache, naive: NaiveCache, [op, page, line, tag]: Step): void {
  const at = page * LINES + line;
  const steps: readonly (() => void)[] = [
    () => expect(cache.read(page, line)).to.equal(naive.read(at)),
    () => {
      cache.write(page, line, tag);
      naive.write(at, tag);
    },
    () => {
      cache.cleanPage(page);
      eachLine(page, (each) => naive.clean(each));
    },
    () => {
      cache.invalidatePage(page);
      eachLine(page, (each) => naive.copies.delete(each));
    },
    () => {
      cache.evict(tag);
      naive.evict(tag);
    },
    () => {
      cache.zeroPage(page);
      eachLine(page, (each) => naive.write(each, 0));
    },
    () => {
      const to = (page + 1) % PAGES;
      cache.move(page, to);
      for (let each = 0; each < LINES; each++) naive.move(page * LINES + each, to * LINES + each);
    },
  ];
  steps[op]?.();
}

const shown = ({ cache }: Kernel): number[] =>
  Array.from({ length: PAGES * LINES }, (_, at) => cache.cachedLine(Math.floor(at / LINES), at % LINES));

const inMemory = ({ memory }: Kernel): number[] =>
  Array.from({ length: PAGES * LINES }, (_, at) => memory.readLine(Math.floor(at / LINES), at % LINES));

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(6), fc.nat(PAGES - 1), fc.nat(LINES - 1), fc.nat(255));
const steps = fc.array(step, { size: 'max', maxLength: 60 });

describe('CPU cache', () => {
  it('does what a map would', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const kernel = boot({ pages: PAGES });
        const naive = new NaiveCache();
        for (const each of list) take(kernel.cache, naive, each);
        expect(inMemory(kernel)).to.deep.equal(naive.memory);
        const copies = Array.from({ length: PAGES * LINES }, (_, at) => naive.copies.get(at));
        expect(shown(kernel)).to.deep.equal(
          copies.map((copy) => (copy === undefined ? 0 : copy.tag | (copy.dirty ? 2 << 9 : 1 << 9))),
        );
      }),
    );
  });

  it('is not there on a coherent machine', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const kernel = boot({ pages: PAGES }, { coherent: 'yes' });
        for (const [op, page, line, tag] of list) {
          if (op === 1) {
            kernel.cache.write(page, line, tag);
            expect(kernel.memory.readLine(page, line)).to.equal(tag);
          } else if (op === 5) {
            kernel.cache.zeroPage(page);
            expect(kernel.memory.readLine(page, line)).to.equal(0);
          } else if (op === 6) {
            kernel.cache.move(page, (page + 1) % PAGES);
          } else {
            const before = inMemory(kernel);
            take(kernel.cache, new NaiveCache(), [op === 0 ? 2 : op, page, line, tag]);
            expect(kernel.cache.read(page, line)).to.equal(kernel.memory.readLine(page, line));
            expect(inMemory(kernel)).to.deep.equal(before);
          }
        }
        expect(shown(kernel).every((copy) => copy === 0)).to.equal(true);
      }),
    );
  });

  it('holds nothing older of a page that the kernel writes for itself', () => {
    const kernel = boot();
    const { cache, memory } = kernel;
    cache.write(3, 1, 7);
    cache.write(4, 1, 7);
    memory.zero(3);
    memory.write(4, 0, 9);
    for (const page of [3, 4]) {
      expect(cache.cachedLine(page, 1)).to.equal(0);
      cache.evict(0);
    }
    expect(memory.readLine(3, 1)).to.equal(0);
    expect([memory.read(4, 0), memory.readLine(4, 1)]).to.deep.equal([9, 0xa5]);
  });

  it('knows which pages are newer than memory', () => {
    const { cache } = boot();
    cache.read(3, 1);
    expect(cache.isDirty(3)).to.equal(false);
    cache.write(3, 2, 7);
    expect([cache.isDirty(3), cache.isDirty(2), cache.isDirty(4)]).to.deep.equal([true, false, false]);
    cache.cleanPage(3);
    expect(cache.isDirty(3)).to.equal(false);
  });

  it('tells an observer of each page that it looks different of, undone or not', () => {
    const { store, cache } = boot();
    const journal = store.attachJournal();
    store.watch.settle();
    journal.mark();
    cache.write(5, 2, 7);
    expect(store.watch.dirty).to.deep.equal([5]);
    store.watch.settle();
    expect(store.watch.dirty).to.deep.equal([]);
    journal.undo();
    expect(store.watch.dirty).to.deep.equal([5]);
    expect(cache.cachedLine(5, 2)).to.equal(0);
    expect([journal.low, journal.high]).to.deep.equal([0, 0]);
  });
});

describe('memory', () => {
  it('is zero at boot where whoever frees it zeroes it', () => {
    expect(boot().memory.readLine(9, 1)).to.equal(0xa5);
    expect(boot({}, { zeroing: 'on-free' }).memory.readLine(9, 1)).to.equal(0);
  });
});
