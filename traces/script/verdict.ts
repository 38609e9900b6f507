/** What the specification says of a script that was made from a trace, given the answers that the trace shows. */
import { SPEC, type View } from '../../model/index.ts';
import { type Finding, Stepper } from '../../properties/index.ts';
import type { TraceScript } from './script.ts';

/** Nothing of the kernel's state is in a trace. */
const SHOWS_NOTHING = { observe(_view: View): void {} };
const KERNEL = { capabilities: new Set(['page-numbers'] as const) };

/**
 * Holds callers and answers against the rules. `duty`: a driver did what none may do. `reply`: the kernel answered what
 * it may not. Undefined: each call could be made, and each answer was right.
 */
export function verdictOf({ script, answers }: TraceScript): Finding | undefined {
  const stepper = new Stepper(SPEC, KERNEL, undefined, true);
  stepper.begin(script);
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    const ok = answers[stepper.at];
    if (ok === undefined) break;
    const finding = stepper.give({ ok }, SHOWS_NOTHING);
    if (finding !== undefined) return finding;
  }
  return stepper.breach;
}
