/** What is wrong in a trace, or strange in it: data, as everything that ionclad finds. */
import type { AssumptionName, CheckName } from './checks.ts';
import type { TraceEvent } from './event.ts';

/**
 * How sure a finding is. `certain`: every reading of the events breaks the rule. `likely`: only an event that was
 * not written, while nothing says that any is missing, could excuse it. `possible`: an ordinary reading excuses it.
 */
export const CONFIDENCES = ['certain', 'likely', 'possible'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** One event that shows a finding, and what it has to do with it. */
export interface Evidence {
  /** Such as `mapped here`, `freed while mapped`. */
  readonly role: string;
  readonly event: TraceEvent;
}

/** What a finding is about, as far as it is about such a thing. */
export interface Subject {
  readonly device?: string;
  /** Name of the address space, where one could be told. */
  readonly space?: string;
  readonly iova?: number;
  readonly size?: number;
  readonly pfn?: number;
}

export interface TraceFinding {
  readonly check: CheckName;
  readonly confidence: Confidence;
  /** What must be so for this to be wrong; empty where it is certain. */
  readonly assumptions: readonly AssumptionName[];
  /** One sentence: what was seen. */
  readonly text: string;
  readonly subject: Subject;
  /** In the order of time. */
  readonly evidence: readonly Evidence[];
  /** How many more there are of the same check, confidence, device and task. */
  readonly more: number;
}
