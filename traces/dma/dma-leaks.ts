/** Mappings that nobody ends: those that outlive all their like, and those of a device that has gone. */

import type { DeviceEvent, Direction } from '../event.ts';
import { bytes, duration } from '../say.ts';
import type { DmaApi, DmaMapping } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { subjectOf } from './dma-unmaps.ts';
import type { Grade } from './verdicts.ts';

/** A mapping stands out where so many of its like have died ... */
const DEATHS_LEAST = 8;
/** ... all of them after less than this part of its age ... */
const AGE_FACTOR = 16;
/** ... and where there are fewer of its kind than one for so many that died: a ring has as many as it needs. */
const DEATHS_EACH = 4;

const UNENDED: Grade = {
  confidence: 'possible',
  assumptions: ['ran-to-end', 'nothing-lost'],
  since: Number.POSITIVE_INFINITY,
};

/** What one kind of mapping of one device is used to. */
interface Custom {
  deaths: number;
  longest: number;
}

export class DmaLeaks {
  readonly #state: DmaState;
  /** By device, then by number of the kind. */
  readonly #customs = new Map<string, Custom[]>();

  constructor(state: DmaState) {
    this.#state = state;
  }

  died(mapping: DmaMapping, time: number): void {
    const life = time - mapping.born.time;
    const kind = kindOf(mapping);
    const customs = this.#customsOf(mapping.device);
    const known = customs[kind];
    if (known === undefined) customs[kind] = { deaths: 1, longest: life };
    else {
      known.deaths += 1;
      if (life > known.longest) known.longest = life;
    }
  }

  #customsOf(device: string): Custom[] {
    const known = this.#customs.get(device);
    if (known !== undefined) return known;
    const customs: Custom[] = [];
    this.#customs.set(device, customs);
    return customs;
  }

  /** The device leaves its domain or group: its driver is gone, and nobody will unmap what is left. */
  gone(event: DeviceEvent): void {
    const device = this.#state.device(event.device);
    const left = alive(device.live.all());
    for (const [at, mapping] of left.entries()) {
      device.remove(mapping);
      if (at > 0) continue;
      const grade = this.#state.grade(device, 1, mapping.born.time);
      const confidence = grade.confidence === 'certain' ? 'likely' : grade.confidence;
      const text = `${event.device} leaves while ${count(left)} of it ${left.length === 1 ? 'is' : 'are'} live`;
      this.#state.find('gone-while-mapped', { ...grade, confidence }, text, subjectOf(mapping), [
        { role: 'mapped here', event: mapping.born },
        { role: 'gone here', event },
      ]);
    }
  }

  /** @param now - nanoseconds, of the last event */
  end(now: number): void {
    for (const device of this.#state.devices) {
      const kinds = byKind(alive(device.live.all()));
      const customs = this.#customs.get(device.name);
      for (const [kind, mappings] of kinds) this.#judge(mappings, customs?.[kind], now);
    }
  }

  #judge(mappings: readonly DmaMapping[], custom: Custom | undefined, now: number): void {
    if (custom === undefined || custom.deaths < DEATHS_LEAST) return;
    const old = mappings.filter(
      (mapping) =>
        now - mapping.born.time > AGE_FACTOR * custom.longest && !this.#state.isShownUnmapped(mapping),
    );
    const [oldest] = old;
    if (oldest === undefined || mappings.length * DEATHS_EACH > custom.deaths) return;
    const { device, ranges, born } = oldest;
    const size = ranges.reduce((sum, range) => sum + range.size, 0);
    const text =
      `${count(old)} of ${device} never unmapped, the oldest of ${bytes(size)} since ${duration(now - born.time)}, ` +
      `while ${custom.deaths} like it lived at most ${duration(custom.longest)}`;
    this.#state.find('leak', UNENDED, text, subjectOf(oldest), [{ role: 'mapped here', event: born }]);
  }
}

/** The mappings that ranges belong to, oldest first. */
const alive = (ranges: readonly { readonly mapping: DmaMapping }[]): readonly DmaMapping[] =>
  [...new Set(ranges.map(({ mapping }) => mapping))].toSorted(
    (a, b) => a.born.time - b.born.time || a.born.line - b.born.line,
  );

function byKind(mappings: readonly DmaMapping[]): ReadonlyMap<number, readonly DmaMapping[]> {
  const kinds = new Map<number, DmaMapping[]>();
  for (const mapping of mappings) {
    const kind = kindOf(mapping);
    const same = kinds.get(kind);
    if (same === undefined) kinds.set(kind, [mapping]);
    else same.push(mapping);
  }
  return kinds;
}

const count = (mappings: readonly DmaMapping[]): string =>
  mappings.length === 1 ? 'a mapping' : `${mappings.length} mappings`;

const APIS: readonly DmaApi[] = ['page', 'resource', 'sg', 'coherent', 'pages', 'sgt'];
const DIRECTIONS: readonly Direction[] = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

/**
 * Number of a kind of mappings of a device: those of one kind are for one purpose, as far as a trace can tell. Sizes are
 * compared by power of two, of which there are less than 64.
 */
const kindOf = ({ api, direction, ranges, physes }: DmaMapping): number =>
  (APIS.indexOf(api) * DIRECTIONS.length + DIRECTIONS.indexOf(direction)) * 64 +
  Math.floor(Math.log2((ranges[0]?.size ?? 1) + physes.length));
