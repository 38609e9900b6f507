/** A report with what is said of it in words, so that a page says the same as the terminal. */
import type { TraceReport } from './report.ts';

/** A name and what is said of it, a sentence each. */
export type Fact = readonly [name: string, ...sentences: string[]];

export interface ToldReport {
  readonly report: TraceReport;
  /** What was read, on one line. */
  readonly source: string;
  /** What the trace can show and what not. */
  readonly sight: readonly Fact[];
  /** How much of it was seen. */
  readonly coverage: readonly Fact[];
  /** Use of addresses by device: names of columns, then rows. */
  readonly spaces: readonly (readonly string[])[];
}
