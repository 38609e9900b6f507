/** Faults that an IOMMU reports, each explained by what was mapped at its address, and when. */
import type { DmaMapping } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import type { FaultEvent } from './event.ts';
import type { Evidence } from './finding.ts';
import { bytes, duration, hex } from './say.ts';
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
    const behind = this.#state.device(device).live.find(Math.max(0, iova - PAGE), PAGE, () => true);
    if (behind !== undefined) return overrun(behind.mapping, behind.start + behind.size, event);
    return this.#ofAnother(event) ?? { text: 'nothing was seen mapped there', evidence: [] };
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

/** Just behind what is mapped. */
function overrun({ born }: DmaMapping, end: number, event: FaultEvent): Explanation {
  const text = `${bytes(event.iova - end)} behind the end of a mapping, at ${hex(end)}`;
  return { text, evidence: [{ role: 'mapped here', event: born }] };
}

const last = (storms: ReadonlyMap<string, Storm>): Storm | undefined => [...storms.values()].at(-1);
