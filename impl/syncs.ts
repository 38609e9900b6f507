import type { Buffers } from './buffers.ts';
import type { Config } from './config.ts';

/** What a driver does about CPU caches around what its device does, or leaves to luck. */
export class Syncs {
  private readonly buffers: Buffers;
  private readonly always: boolean;

  constructor(config: Config, buffers: Buffers) {
    this.buffers = buffers;
    this.always = config.policies.sync === 'always';
  }

  /** Before the device may read a buffer. */
  forDevice(buffer: number): void {
    if (this.always) this.buffers.clean(buffer);
  }

  /** After the device may have written to a buffer. */
  forCpu(buffer: number): void {
    if (this.always) this.buffers.invalidate(buffer);
  }
}
