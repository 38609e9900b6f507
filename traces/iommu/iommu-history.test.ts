import { expect } from 'chai';
import * as fc from 'fast-check';
import { type Choices, SeededChoices } from '../../properties/choices.ts';
import { PageTree } from './page-tree.ts';
import { A, PAGE, Tale } from './tale.test.ts';

const SLOTS = 6;
const SLOT_PAGES = 4;

interface Held {
  readonly domain: number;
  readonly iova: number;
  readonly pfn: number;
  readonly pages: number;
}

/** A kernel that never errs: several domains, the same addresses in each, names that are dropped now and then. */
class Kernel {
  readonly tale = new Tale();
  readonly held: Held[] = [];
  /** How often two domains came to the same memory at the same address. */
  twins = 0;
  readonly #choices: Choices;
  readonly #domains: number;
  readonly #named: number;
  #memory = 0x1_0000;

  /** @param named - of ten events of dma-mapping, how many are in the trace */
  constructor(choices: Choices, domains: number, named: number) {
    this.#choices = choices;
    this.#domains = domains;
    this.#named = named;
  }

  step(): void {
    const held = this.held[this.#choices.below(this.held.length + 3)];
    if (held === undefined) this.#map();
    else this.#unmap(held);
  }

  #map(): void {
    const [domain, slot] = [this.#choices.below(this.#domains), this.#choices.below(SLOTS)];
    const iova = A - (slot + 1) * SLOT_PAGES * PAGE;
    if (this.held.some((held) => held.domain === domain && held.iova === iova)) return;
    const pages = 1 + this.#choices.below(SLOT_PAGES);
    const shared = this.held[this.#choices.below(this.held.length * 4)];
    const pfn = shared?.pages === pages ? shared.pfn : this.#alloc(pages);
    const place = this.#place();
    if (this.held.some((held) => held.iova === iova && held.pfn === pfn)) this.twins += 1;
    this.held.push({ domain, iova, pfn, pages });
    this.tale.map(iova, pfn, pages, place);
    const rest = { direction: 'TO_DEVICE', api: 'page', attrs: '' } as const;
    if (this.#isNamed(domain))
      this.tale.say(
        { kind: 'dma-map', device: `dev${domain}`, dma: iova, size: pages * PAGE, phys: pfn * PAGE, ...rest },
        place,
      );
  }

  #unmap(held: Held): void {
    const { domain, iova, pages, pfn } = held;
    const place = this.#place();
    const cut = this.#choices.below(4) === 0 ? this.#choices.below(pages) : 0;
    if (cut > 0) this.tale.unmap(iova, cut, place);
    this.tale.unmap(iova + cut * PAGE, pages - cut, place);
    const rest = { direction: 'TO_DEVICE', api: 'page' } as const;
    if (this.#isNamed(domain))
      this.tale.say(
        { kind: 'dma-unmap', device: `dev${domain}`, dma: iova, size: pages * PAGE, ...rest },
        place,
      );
    this.held.splice(this.held.indexOf(held), 1);
    if (this.held.some((other) => other.pfn === pfn)) return;
    for (let page = 0; page < pages; page += 1) this.tale.free(pfn + page, 0, this.#place());
  }

  #alloc(pages: number): number {
    this.#memory += SLOT_PAGES;
    for (let page = 0; page < pages; page += 1) this.tale.alloc(this.#memory + page, 0, this.#place());
    return this.#memory;
  }

  /** The first domain never uses dma-mapping, as those of VFIO. */
  #isNamed(domain: number): boolean {
    return domain > 0 && this.#choices.below(10) < this.#named;
  }

  #place(): { readonly cpu: number; readonly pid: number } {
    const cpu = this.#choices.below(2);
    return { cpu, pid: 10 + cpu * 10 + this.#choices.below(2) };
  }
}

const shape = fc.record({
  seed: fc.nat(),
  domains: fc.integer({ min: 1, max: 4 }),
  named: fc.constantFrom(0, 5, 9, 10),
  steps: fc.integer({ min: 1, max: 80 }),
});

interface Shape {
  readonly seed: number;
  readonly domains: number;
  readonly named: number;
  readonly steps: number;
}

function lived({ seed, domains, named, steps }: Shape): Kernel {
  const kernel = new Kernel(new SeededChoices(seed, 0), domains, named);
  for (let step = 0; step < steps; step += 1) kernel.step();
  return kernel;
}

describe('random histories of mappings', () => {
  it('gives nothing where the kernel is right, from the start or from the middle', () => {
    let shared = 0;
    fc.assert(
      fc.property(shape, fc.nat({ max: 100 }), (made, late) => {
        const { tale, twins } = lived(made);
        const right = twins === 0 ? [''] : ['', 'possible two-devices'];
        expect(right).to.include(tale.told().join());
        if (made.named === 0) expect(right.at(-1)).to.equal(tale.told().join());
        if (twins > 0) shared += 1;
        tale.events.splice(0, late);
        expect(right).to.include(tale.told().join());
      }),
      { numRuns: 120 },
    );
    expect(shared).to.be.greaterThan(5);
  });

  it('is sure of a page that is freed while mapped where there is one domain', () => {
    let seen = 0;
    fc.assert(
      fc.property(shape, fc.nat(), (made, which) => {
        const { tale, held } = lived({ ...made, domains: 1 });
        const victim = held[which % Math.max(1, held.length)];
        if (victim === undefined) return;
        seen += 1;
        tale.free(victim.pfn + victim.pages - 1).unmap(victim.iova, victim.pages);
        const { list } = tale.findings();
        const [first] = list;
        expect(`${first?.confidence} ${first?.check}`).to.equal('certain freed-while-mapped');
        expect(first?.subject.pfn).to.equal(victim.pfn + victim.pages - 1);
      }),
      { numRuns: 100 },
    );
    expect(seen).to.be.greaterThan(50);
  });

  it('finds too many frees among mappings that cannot be told apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), (domains, spared) => {
        const tale = new Tale();
        for (let n = 0; n < domains; n += 1) tale.map(A, 0x100 + n);
        for (let n = 0; n < domains - 1; n += 1) tale.unmap(A);
        for (let n = 0; n < domains; n += 1) if (n !== spared % domains) tale.free(0x100 + n);
        expect(tale.told()).to.deep.equal([]);
        tale.free(0x100 + (spared % domains));
        expect(tale.told()).to.deep.equal(domains > 32 ? [] : ['likely freed-while-mapped']);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a tree of pages', () => {
  /** Around the borders of blocks of all sizes. */
  const page = fc.oneof(
    fc.nat({ max: 1200 }),
    fc.nat({ max: 600 }).map((n) => 32 * 512 - 300 + n),
    fc.nat({ max: 600 }).map((n) => 32 * 512 * 512 - 300 + n),
  );
  const range = fc.record({
    first: page,
    count: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.nat({ max: 1500 })),
  });
  const step = fc.record({ range, adds: fc.boolean() });

  it('holds what a list of pages holds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), range, (steps, asked) => {
        const tree = new PageTree<readonly number[]>((below, above) => [...below, ...above]);
        const plain = new Map<number, number[]>();
        for (const [number, { range: at, adds }] of steps.entries()) {
          if (adds) tree.add(at.first, at.count, [number]);
          else tree.change(at.first, at.count, () => undefined);
          for (let each = at.first; each < at.first + at.count; each += 1)
            if (adds) plain.set(each, [...(plain.get(each) ?? []), number]);
            else plain.delete(each);
        }
        const all = Array.from({ length: asked.count }, (_, at) => plain.get(asked.first + at));
        expect(tree.isEmptyAt(asked.first, asked.count)).to.equal(
          all.every((cell) => cell === undefined || cell.length === 0),
        );
        const seen = new Map<number, number[]>();
        const end = asked.first + asked.count;
        tree.read(asked.first, asked.count, (cell, first, count) => {
          for (let each = Math.max(first, asked.first); each < Math.min(first + count, end); each += 1)
            seen.set(each, [...(seen.get(each) ?? []), ...cell]);
        });
        for (let each = asked.first; each < end; each += 1)
          expect([...(seen.get(each) ?? [])].toSorted()).to.deep.equal(
            [...(plain.get(each) ?? [])].toSorted(),
          );
      }),
      { numRuns: 60 },
    );
  });
});
