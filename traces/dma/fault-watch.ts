/** Faults that an IOMMU reports, each explained by what was mapped at its address, and when. */

import type { FaultEvent, Stamp } from '../event.ts';
import type { Evidence } from '../finding.ts';
import type { Mapping } from '../mapping.ts';
import { bytes, duration, hex } from '../say.ts';
import type { DmaMapping } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { CERTAIN } from './verdicts.ts';

/** `IOMMU_FAULT_WRITE`. */
const WRITE = 1;
const PAGE = 4096;
/** Pages that fault are told apart up to so many; the rest are counted with the last. */
const PAGES = 64;

interface Explanation {
  readonly text: string;
  readonly evidence: readonly Evidence[];
}

const NOTHING: Explanation = { text: 'nothing was seen mapped there', evidence: [] };

/** One page that a device went to in vain, once or in a storm. */
interface Storm {
  readonly first: FaultEvent;
  readonly explanation: Explanation;
  last: FaultEvent;
  count: number;
}

export class FaultWatch {
  readonly #state: DmaState;
  readonly #storms = new Map<string, Storm>();

  constructor(state: DmaState) {
    this.#state = state;
  }

  on(event: FaultEvent): void {
    const page = `${event.device} ${Math.floor(event.iova / PAGE)}`;
    const known = this.#storms.get(page) ?? (this.#storms.size < PAGES ? undefined : last(this.#storms));
    if (known !== undefined) {
      known.count += 1;
      known.last = event;
    } else this.#storms.set(page, { first: event, last: event, count: 1, explanation: this.#explain(event) });
  }

  end(): void {
    for (const { first, explanation, last, count } of this.#storms.values()) {
      const more = count === 1 ? '' : `; ${count - 1} more up to line ${last.line}`;
      const { device, iova } = first;
      const what = `${device} ${first.flags & WRITE ? 'wrote to' : 'read from'} ${hex(iova)}`;
      this.#state.find('fault', CERTAIN, `${what}: ${explanation.text}${more}`, { device, iova }, [
        ...explanation.evidence,
        { role: 'faulted here', event: first },
      ]);
    }
    this.#storms.clear();
  }

  #explain(event: FaultEvent): Explanation {
    const { device, iova } = event;
    const { deaths } = this.#state;
    const live = this.#state.device(device).live.find(iova, 1, () => true);
    if (live !== undefined) return inspite(live.mapping, event);
    const dead = deaths.lastAt(device, iova, 1);
    if (dead?.died !== undefined) return afterUnmap(dead, event);
    return this.#inTables(event) ?? this.#beside(event) ?? NOTHING;
  }

  /** Who maps without dma-mapping, as VFIO does, or whose calls are not traced, is seen by the IOMMU only. */
  #inTables(event: FaultEvent): Explanation | undefined {
    const { device, iova } = event;
    const mayBe = (mapping: Mapping | undefined): mapping is Mapping =>
      mapping !== undefined && (mapping.space === undefined || mapping.space === device);
    const live = this.#state.tables.liveAt(iova).find(mayBe);
    if (live !== undefined) {
      const text = `${whose(live)} is mapped there since ${ago(live.born, event)}: the fault is older, or of rights`;
      return { text, evidence: [{ role: 'mapped here', event: live.born }] };
    }
    const dead = this.#state.tables.lastAt(iova, device);
    if (!mayBe(dead) || dead.died === undefined) return undefined;
    const { task, line } = dead.died;
    const text = `${whose(dead)} was unmapped there ${ago(dead.died, event)} before by ${task} (line ${line})`;
    return { text, evidence: [{ role: 'mapped here', event: dead.born }] };
  }

  #beside(event: FaultEvent): Explanation | undefined {
    const from = Math.max(0, event.iova - PAGE);
    const behind = this.#state.device(event.device).live.find(from, PAGE, () => true);
    if (behind !== undefined) return overrun(behind.mapping, behind.start + behind.size, event);
    return this.#ofAnother(event);
  }

  #ofAnother(event: FaultEvent): Explanation | undefined {
    for (const device of this.#state.devices) {
      const other = device.live.find(event.iova, 1, () => true)?.mapping;
      if (other === undefined) continue;
      const text = `it is mapped for ${device.name} only`;
      return { text, evidence: [{ role: 'mapped here', event: other.born }] };
    }
    return undefined;
  }
}

/** It is mapped, as the lines say, and faulted nevertheless. */
function inspite({ born, direction }: DmaMapping, event: FaultEvent): Explanation {
  const evidence = [{ role: 'mapped here', event: born }];
  const wrote = (event.flags & WRITE) !== 0;
  if (wrote && direction === 'TO_DEVICE')
    return { text: 'it is mapped TO_DEVICE, to be read only', evidence };
  if (!wrote && direction === 'FROM_DEVICE')
    return { text: 'it is mapped FROM_DEVICE, to be written only', evidence };
  const text = `it is mapped since ${duration(event.time - born.time)}: the fault is older, or the tables differ`;
  return { text, evidence };
}

function afterUnmap({ born, died }: DmaMapping, event: FaultEvent): Explanation {
  if (died === undefined) return { text: '', evidence: [] };
  return {
    text: `it was unmapped ${duration(event.time - died.time)} before by ${died.task}`,
    evidence: [
      { role: 'mapped here', event: born },
      { role: 'unmapped here', event: died },
    ],
  };
}

const ago = (before: Stamp, event: FaultEvent): string => duration(event.time - before.time);

const whose = ({ space }: Mapping): string =>
  space === undefined ? 'a mapping of this device or of another one' : 'a mapping of this device';

/** Just behind what is mapped. */
function overrun({ born }: DmaMapping, end: number, event: FaultEvent): Explanation {
  const text = `${bytes(event.iova - end)} behind the end of a mapping, at ${hex(end)}`;
  return { text, evidence: [{ role: 'mapped here', event: born }] };
}

const last = (storms: ReadonlyMap<string, Storm>): Storm | undefined => [...storms.values()].at(-1);
