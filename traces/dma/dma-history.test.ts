import { expect } from 'chai';
import * as fc from 'fast-check';
import { type Choices, SeededChoices } from '../../properties/choices.ts';
import type { CheckName } from '../checks.ts';
import type { Direction } from '../event.ts';
import { NIC, Story } from './story.test.ts';

const DIRECTIONS = ['TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'] as const;
const SLOT = 0x1_0000;

const KINDS = ['page', 'page', 'sg', 'coherent'] as const;

/** What a driver holds. Its slot of addresses is given to somebody else as soon as it is unmapped. */
interface Held {
  readonly kind: (typeof KINDS)[number];
  readonly slot: number;
  readonly dma: number;
  readonly size: number;
  readonly direction: Direction;
  readonly physes: readonly number[];
}

const other = (direction: Direction): Direction => (direction === 'TO_DEVICE' ? 'FROM_DEVICE' : 'TO_DEVICE');

/** A driver that never errs, on one or on two CPUs, behind an IOMMU or without one. */
class Driver {
  readonly story = new Story();
  readonly held: Held[] = [];
  readonly #choices: Choices;
  readonly #free: number[] = [];
  #slots = 0;
  #memory = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  step(): void {
    const at = this.#choices.below(Math.max(1, this.held.length));
    const held = this.held[at];
    const what = this.#choices.pick([4, 2, 3, 1]);
    if (held === undefined || what === 0) this.map();
    else if (what === 1) this.sync(held);
    else if (what === 2) this.#unmap(at, held);
    else this.#raced(at, held);
  }

  map(only: readonly Held['kind'][] = KINDS): Held {
    const slot = this.#free.pop() ?? this.#slots++;
    const pick = <T>(from: readonly T[]): T => from[this.#choices.below(from.length)] as T;
    const kind = pick(only);
    const offset = kind === 'page' ? this.#choices.below(0x800) : 0;
    const size = kind === 'page' ? 1 + this.#choices.below(0x2000) : 0x1000 * (1 + this.#choices.below(4));
    const count = kind === 'sg' ? size / 0x1000 : 1;
    const physes = Array.from({ length: count }, () => 0x1_0000_0000 + this.#page() + offset);
    const direction = kind === 'coherent' ? 'BIDIRECTIONAL' : pick(DIRECTIONS);
    const held = { kind, slot, dma: 0xf000_0000 - slot * SLOT + offset, size, direction, physes };
    this.#tell(held);
    this.held.push(held);
    return held;
  }

  sync(held: Held): void {
    if (held.kind === 'coherent') return;
    const offset = this.#choices.below(held.size);
    const size = 1 + this.#choices.below(held.size - offset);
    this.story.sync(held.dma + offset, size, held.direction);
  }

  unmap({ kind, dma, size, direction, physes }: Held): void {
    if (kind === 'page') this.story.unmap(dma, size, direction);
    else if (kind === 'sg') this.story.unmapSg(physes, direction);
    else this.story.coherent('dma-free', dma, { size });
  }

  /** The same mapping again, as the address is free. */
  again(held: Held): void {
    this.#tell({ ...held, physes: held.physes.map(() => 0x1_0000_0000 + this.#page()) });
  }

  #unmap(at: number, held: Held): void {
    this.held.splice(at, 1);
    this.unmap(held);
    this.#free.push(held.slot);
  }

  /** An interrupt comes between the unmap and its line, and is given the address. */
  #raced(at: number, held: Held): void {
    if (held.kind !== 'page') return;
    this.held.splice(at, 1);
    this.#free.push(held.slot);
    this.map();
    this.unmap(held);
  }

  #tell({ kind, dma, size, direction, physes }: Held): void {
    const [phys = 0] = physes;
    if (kind === 'page') this.story.map(dma, { size, direction, phys });
    else if (kind === 'sg') this.story.mapSg(dma, physes, { direction });
    else this.story.coherent('dma-alloc', dma, { size });
  }

  #page(): number {
    this.#memory += 1;
    return this.#memory * 0x1_0000 + (this.#memory % 7) * 0x1000;
  }
}

interface Mistake {
  readonly name: string;
  readonly kinds: readonly Held['kind'][];
  readonly makes: (driver: Driver, held: Held) => void;
  readonly check: CheckName;
}

const MISTAKES: readonly Mistake[] = [
  {
    name: 'unmaps another size',
    kinds: ['page', 'coherent'],
    makes: (driver, held) => driver.unmap({ ...held, size: held.size + 0x1000 }),
    check: 'dma-unmap-size',
  },
  {
    name: 'unmaps in another direction',
    kinds: ['page', 'sg'],
    makes: (driver, held) => driver.unmap({ ...held, direction: other(held.direction) }),
    check: 'dma-unmap-direction',
  },
  {
    name: 'unmaps by another function',
    kinds: ['page', 'coherent'],
    makes: (driver, held) => driver.unmap({ ...held, kind: held.kind === 'page' ? 'coherent' : 'page' }),
    check: 'dma-unmap-kind',
  },
  {
    name: 'unmaps twice',
    kinds: ['page', 'sg', 'coherent'],
    makes: (driver, held) => {
      driver.unmap(held);
      driver.unmap(held);
    },
    check: 'dma-unmap-unknown',
  },
  {
    name: 'does not unmap, and maps there again',
    kinds: ['page', 'sg', 'coherent'],
    makes: (driver, held) => {
      driver.again(held);
      driver.story.pause(11);
      driver.unmap(held);
    },
    check: 'dma-overlap',
  },
  {
    name: 'syncs after the unmap',
    kinds: ['page', 'sg'],
    makes: (driver, held) => {
      driver.unmap(held);
      driver.sync(held);
    },
    check: 'dma-sync-unknown',
  },
];

function historyOf(seed: number, steps: number): Driver {
  const driver = new Driver(new SeededChoices(seed, 0));
  for (let n = 0; n < steps; n += 1) driver.step();
  return driver;
}

describe('histories of drivers', () => {
  it('that are correct give no finding', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 120 }), (seed, steps) => {
        const { story, held } = historyOf(seed, steps);
        expect(story.found).to.deep.equal([]);
        expect(held.length).to.be.at.most(steps);
      }),
      { numRuns: 150 },
    );
  });

  for (const { name, kinds, makes, check } of MISTAKES)
    it(`in which one driver ${name} give ${check}`, () => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, steps) => {
          const driver = historyOf(seed, steps);
          for (const kind of kinds) driver.unmap(driver.map([kind]));
          makes(driver, driver.map(kinds));
          const found = driver.story.findings.list.filter(({ confidence }) => confidence !== 'possible');
          expect(found.map((finding) => [finding.check, finding.subject.device])).to.deep.equal([
            [check, NIC],
          ]);
        }),
        { numRuns: 60 },
      );
    });
});
