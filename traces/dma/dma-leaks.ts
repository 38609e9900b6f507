/** Mappings that nobody ends: those that outlive all their like, and those of a device that has gone. */

import type { DeviceEvent, Direction } from '../event.ts';
import { Custom, groupedBy, mappings, sizeClass, UNENDED } from '../lifetimes.ts';
import type { DmaApi, DmaMapping } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { subjectOf } from './dma-unmaps.ts';
import type { Grade } from './verdicts.ts';

const GRADE: Grade = { ...UNENDED, since: Number.POSITIVE_INFINITY };

export class DmaLeaks {
  readonly #state: DmaState;
  readonly #forget: (mapping: DmaMapping) => void;
  /** By device, then by number of the kind. */
  readonly #customs = new Map<string, Custom[]>();

  /** @param forget - told of what a device that has gone leaves behind */
  constructor(state: DmaState, forget: (mapping: DmaMapping) => void) {
    this.#state = state;
    this.#forget = forget;
  }

  died(mapping: DmaMapping, time: number): void {
    const kind = kindOf(mapping);
    const customs = this.#customsOf(mapping.device);
    customs[kind] ??= new Custom();
    customs[kind].died(mapping.born, time);
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
      this.#forget(mapping);
      if (at > 0) continue;
      const grade = this.#state.grade(device, 1, mapping.born.time);
      const confidence = grade.confidence === 'certain' ? 'likely' : grade.confidence;
      const live = `${mappings(left.length)} of it ${left.length === 1 ? 'is' : 'are'} live`;
      const text = `${event.device} leaves while ${live}`;
      this.#state.find('gone-while-mapped', { ...grade, confidence }, text, subjectOf(mapping), [
        { role: 'mapped here', event: mapping.born },
        { role: 'gone here', event },
      ]);
    }
  }

  /** @param now - nanoseconds, of the last event */
  end(now: number): void {
    for (const device of this.#state.devices) {
      const kinds = groupedBy(alive(device.live.all()), kindOf);
      const customs = this.#customs.get(device.name);
      for (const [kind, all] of kinds) this.#judge(all, customs?.[kind], now);
    }
  }

  #judge(all: readonly DmaMapping[], custom: Custom | undefined, now: number): void {
    const old = custom?.outlived(all, now).filter((mapping) => !this.#state.isShownUnmapped(mapping)) ?? [];
    const [oldest] = old;
    if (custom === undefined || oldest === undefined) return;
    const { device, ranges, born } = oldest;
    const size = ranges.reduce((sum, range) => sum + range.size, 0);
    const text = custom.told(old.length, `of ${device}`, size, now - born.time);
    this.#state.find('leak', GRADE, text, subjectOf(oldest), [{ role: 'mapped here', event: born }]);
  }
}

/** The mappings that ranges belong to, oldest first. */
const alive = (ranges: readonly { readonly mapping: DmaMapping }[]): readonly DmaMapping[] =>
  [...new Set(ranges.map(({ mapping }) => mapping))].toSorted(
    (a, b) => a.born.time - b.born.time || a.born.line - b.born.line,
  );

const APIS: readonly DmaApi[] = ['page', 'resource', 'sg', 'coherent', 'pages', 'sgt'];
const DIRECTIONS: readonly Direction[] = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

/**
 * Number of a kind of mappings of a device: those of one kind are for one purpose, as far as a trace can tell. Sizes
 * are compared by power of two, of which there are less than 64.
 */
const kindOf = ({ api, direction, ranges, physes }: DmaMapping): number =>
  (APIS.indexOf(api) * DIRECTIONS.length + DIRECTIONS.indexOf(direction)) * 64 +
  sizeClass((ranges[0]?.size ?? 1) + physes.length);
