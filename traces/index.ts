/** Recorded traces of real kernels, held against the specification. */

export { TraceChecker, type TraceOptions } from './checker.ts';
export { ASSUMPTIONS, type AssumptionName, CHECKS, type Check, type CheckName } from './checks.ts';
export { citeEvent } from './cite.ts';
export type { EventKind, EventOf, Stamp, TraceEvent } from './event.ts';
export { CONFIDENCES, type Confidence, type Evidence, type TraceFinding } from './finding.ts';
export type { Histogram, Mode, Series, SpaceUse, TraceReport } from './report.ts';
export { duration, hex, size } from './say.ts';
export type { Fact, ToldReport } from './told.ts';
export { writeEvent, writeTrace } from './write.ts';
