/** Syncs of drivers against what is mapped: the rules of dma-debug. */

import type { DmaSyncEvent } from '../event.ts';
import { bytes, duration, hex } from '../say.ts';
import type { DmaDevice } from './dma-device.ts';
import { type DmaMapping, type DmaRange, isAddress } from './dma-mapping.ts';
import type { DmaState } from './dma-state.ts';
import { subjectOf } from './dma-unmaps.ts';

export class DmaSyncs {
  readonly #state: DmaState;

  constructor(state: DmaState) {
    this.#state = state;
  }

  on(event: DmaSyncEvent): void {
    const device = this.#state.device(event.device);
    for (const [at, start] of event.dmas.entries()) {
      const size = event.sizes[at] ?? 0;
      if (isAddress(start, size)) this.#range(device, start, size, event);
    }
  }

  #range(device: DmaDevice, start: number, size: number, event: DmaSyncEvent): void {
    const holds = (range: DmaRange): boolean =>
      range.start <= start && start + size <= range.start + range.size;
    const fits = ({ mapping }: DmaRange): boolean =>
      mapping.direction === 'BIDIRECTIONAL' || mapping.direction === event.direction;
    if (device.live.find(start, size, (range) => holds(range) && fits(range)) !== undefined) return;
    const around = device.live.find(start, size, holds);
    const beside = device.live.find(start, size, () => true);
    if (around !== undefined) this.#direction(device, around, event);
    else if (beside !== undefined) this.#outside(device, beside, start, size, event);
    else this.#afterwards(device, start, size, event);
  }

  #direction(device: DmaDevice, { mapping, start }: DmaRange, event: DmaSyncEvent): void {
    const grade = this.#state.grade(device, 2, mapping.born.time);
    const text = `${hex(start)} of ${device.name}: mapped ${mapping.direction}, synced ${event.direction}`;
    this.#state.find('dma-sync-direction', grade, text, subjectOf(mapping), [
      { role: 'mapped here', event: mapping.born },
      { role: 'synced here', event },
    ]);
  }

  #outside(device: DmaDevice, near: DmaRange, start: number, size: number, event: DmaSyncEvent): void {
    const { mapping } = near;
    const grade = this.#state.grade(device, 2, mapping.born.time);
    const text =
      `${device.name} syncs ${bytes(size)} at ${hex(start)}, ` +
      `outside of the ${bytes(near.size)} mapped at ${hex(near.start)}`;
    this.#state.find('dma-sync-unknown', grade, text, subjectOf(mapping), [
      { role: 'mapped here', event: mapping.born },
      { role: 'synced here', event },
    ]);
  }

  /** Nothing is mapped there now. */
  #afterwards(device: DmaDevice, start: number, size: number, event: DmaSyncEvent): void {
    const dead = this.#state.deaths.lastAt(device.name, start, size);
    if (dead?.died === undefined || dead.doubtful) this.#stranger(event);
    else this.#late(device, dead, dead.died.time, event);
  }

  #late(device: DmaDevice, dead: DmaMapping, died: number, event: DmaSyncEvent): void {
    const grade = this.#state.grade(device, 1, died);
    const ago = duration(event.time - died);
    const text = `${device.name} syncs ${hex(dead.ranges[0]?.start ?? 0)} ${ago} after it was unmapped`;
    this.#state.find('dma-sync-unknown', grade, text, subjectOf(dead), [
      { role: 'mapped here', event: dead.born },
      ...(dead.died === undefined ? [] : [{ role: 'unmapped here', event: dead.died }]),
      { role: 'synced here', event },
    ]);
  }

  #stranger({ line }: DmaSyncEvent): void {
    const text = 'syncs of what was mapped before the trace began';
    this.#state.verdicts.tolerate('synced-before-trace', text, line);
  }
}
