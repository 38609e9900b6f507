/** Traces turned into scripts. */

export { Opening } from './opening.ts';
export { scriptOfEvents, scriptOfFinding, type TraceScript } from './script.ts';
export { verdictOf } from './verdict.ts';
