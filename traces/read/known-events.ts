/** All events that are known, by the names under which tools print them. */
import { BUFFER_EVENTS } from './buffer.ts';
import { DMA_EVENTS } from './dma.ts';
import { INTEL_EVENTS } from './intel.ts';
import { IOMMU_EVENTS } from './iommu.ts';
import { KMEM_EVENTS } from './kmem.ts';
import { PRINTED_EVENTS } from './printk.ts';
import type { KnownEvent } from './reader.ts';

/** Longer marks are cut. */
const LONGEST_MARK = 1000;
export const MARK = 'ftrace:print';
/** How writes to `trace_marker` are called: by ftrace, by `trace-cmd` and `perf`, and by formats of `trace_printk`. */
const MARKS = ['tracing_mark_write', 'print', 'bprint', 'ftrace:print', 'ftrace:bprint'];

const mark: KnownEvent = {
  name: MARK,
  read: (fields, stamp) => {
    const text = fields.rest.replace(/^tracing_mark_write: /, '').slice(0, LONGEST_MARK);
    return { ...stamp, kind: 'mark', text };
  },
};

export const KNOWN_EVENTS: readonly KnownEvent[] = [
  ...IOMMU_EVENTS,
  ...KMEM_EVENTS,
  ...DMA_EVENTS,
  ...INTEL_EVENTS,
  ...BUFFER_EVENTS,
  ...PRINTED_EVENTS,
];

/** `iommu:map` of perf is `map` elsewhere. */
export const PRINTED: ReadonlyMap<string, KnownEvent> = byPrintedName();

function byPrintedName(): ReadonlyMap<string, KnownEvent> {
  const names = KNOWN_EVENTS.flatMap((event): (readonly [string, KnownEvent])[] => [
    [event.name, event],
    [event.name.slice(event.name.indexOf(':') + 1), event],
  ]);
  return new Map([...names, ...MARKS.map((name) => [name, mark] as const)]);
}

/** Shorter names are like many others by chance. */
const LONG_NAME = 8;

/** Whether a name that nobody knows is a known one of which one character is wrong. */
export function isDamaged(name: string, text: string): boolean {
  if (name.length < LONG_NAME && !text.startsWith('IOMMU:')) return false;
  for (const known of PRINTED.keys())
    if (known.length === name.length && wrongIn(name, known) === 1) return true;
  return false;
}

function wrongIn(name: string, known: string): number {
  let wrong = 0;
  for (let at = 0; at < name.length; at += 1) if (name[at] !== known[at]) wrong += 1;
  return wrong;
}
