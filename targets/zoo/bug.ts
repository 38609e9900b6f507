/** A bug of the zoo: one step of the built-in implementation, replaced from outside for as long as the target lives. */
import type { Kernel } from '../../impl/kernel.ts';
import type { Machine } from '../../model/machine.ts';
import type { Target } from '../../model/target.ts';
import { builtin } from '../builtin.ts';

/** Where bugs are, from the bottom up. */
export const BUG_LAYERS = [
  'pages',
  'metadata',
  'sg',
  'iommu',
  'iova',
  'dma',
  'device',
  'cpu',
  'ion',
  'dma-buf',
  'gpu',
] as const;

export interface Bug {
  /** Its target is `zoo/<name>`. */
  readonly name: string;
  /** Id of the row of {@link ORIGINS} that it re-creates, or `invented`. */
  readonly origin: string;
  readonly layer: (typeof BUG_LAYERS)[number];
  /** The invariant that catches it first. */
  readonly catches: string;
  readonly text: string;
  /**
   * What it takes to show where nothing runs short by itself: a fault, fragmentation, a second actor. Nothing: a plain
   * script.
   */
  readonly needs: readonly ('fault' | 'fragmentation' | 'second actor')[];
  /** The property that shows it; default: lockstep. */
  readonly property?: 'fault' | 'schedule';
  /** Calls that show it as `catches`; all others together may show it as something else first. */
  readonly only?: readonly string[];
  patch(kernel: Kernel): void;
}

/** The built-in implementation with one bug. */
export const infect = ({ name, patch }: Bug): Target<Machine> => builtin({ name: `zoo/${name}`, patch });
