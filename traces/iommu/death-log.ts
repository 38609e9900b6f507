/** The mappings that died last, for whoever asks what was at an address. */
import type { Mapping } from '../mapping.ts';

const KEPT = 16_384;

export class DeathLog {
  readonly #ring: Mapping[] = [];
  #next = 0;

  add(mapping: Mapping): void {
    this.#ring[this.#next] = mapping;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** The last that died at an address; of one device, where both are known. */
  lastAt(iova: number, device: string | undefined): Mapping | undefined {
    const { length } = this.#ring;
    for (let back = 1; back <= length; back += 1) {
      const mapping = this.#ring[(this.#next - back + KEPT) % KEPT];
      if (mapping === undefined || iova < mapping.iova || iova >= mapping.iova + mapping.size) continue;
      if (device === undefined || mapping.space === undefined || mapping.space === device) return mapping;
    }
    return undefined;
  }
}
