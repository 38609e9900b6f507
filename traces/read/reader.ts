/** What turns an event's own text into an event: one function for each kind of text. */
import type { Stamp, TraceEvent } from '../event.ts';
import type { Fields } from './fields.ts';

/**
 * @param stamp - changes with the next line. Frequent events take it apart: that is several times as fast as a spread
 * @returns undefined where the text is damaged
 */
export type Reader = (fields: Fields, stamp: Stamp) => TraceEvent | undefined;

/** An event of the kernel that is known here. */
export interface KnownEvent {
  /** As the kernel calls it, `iommu:map`. */
  readonly name: string;
  readonly read: Reader;
  /** Whether the text is of this event, for names that others use too; without it every text is. */
  readonly owns?: (fields: Fields) => boolean;
}

/** An event that changes nothing. */
export const other = (name: string): KnownEvent => ({
  name,
  read: (_fields, { line, time, cpu, task, pid }) => ({ kind: 'other', line, time, cpu, task, pid, name }),
});
