/** What happens by itself, beside jobs: caches and queues empty themselves, now or never. */
import type { ArgsOf, ValueOf } from './calls.ts';
import type { Rule } from './spec.ts';
import { isLazy, noteFlushes } from './translations.ts';
import type { World } from './world.ts';

/** What may happen at any time: all rules allow for it, and nothing is known better afterwards. */
const unnoticed: Rule<World, object, object> = {
  require: [],
  refuse: [],
  may: [],
  accept: [],
  effect: () => {},
  owes: () => 'P1',
};

/** A cache line is replaced. */
export const tickCache: Rule<World, ArgsOf<'tick_cache'>, ValueOf<'tick_cache'>> = unnoticed;
/** A translation is replaced in the IOTLB. */
export const tickIotlb: Rule<World, ArgsOf<'tick_iotlb'>, ValueOf<'tick_iotlb'>> = unnoticed;
/** Deferred buffers have no owner any more. After the ION core of Linux 3.18, `ion_heap_deferred_free()`. */
export const tickWorker: Rule<World, ArgsOf<'tick_worker'>, ValueOf<'tick_worker'>> = unnoticed;

/** The timer of the flush queue. After Linux 6.1, drivers/iommu/dma-iommu.c, `fq_flush_timeout()`. */
export const tickFlush: Rule<World, ArgsOf<'tick_flush'>, ValueOf<'tick_flush'>> = {
  require: [],
  refuse: [],
  may: [],
  accept: [
    [
      'one more flush, if anything waited for it',
      (s, _args, { flushes }) =>
        flushes === s.flushes.get(0) + 1 || (flushes === s.flushes.get(0) && !isWaiting(s)),
      'I1',
    ],
    ['no flush without a queue', (s, _args, { flushes }) => isLazy(s) || flushes === 0, 'P1'],
  ],
  effect: (s, _args, { flushes }) => noteFlushes(s, flushes),
  owes: () => 'P1',
};

const isWaiting = (s: World): boolean => s.stale.values.some((entry) => entry !== 0);
