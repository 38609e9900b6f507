/** What a target is held to: which scripts are drawn for it, and how one is run. */
import type { Concurrent, Spec, Stateful, Target } from '../model/index.ts';
import { runScript } from './drive.ts';
import { runFaults, sweepFaults } from './fault-atomicity.ts';
import type { Finding } from './finding.ts';
import type { Plan } from './generate.ts';
import { runSchedule } from './interleave.ts';
import { Answering, runNoninterference } from './noninterference.ts';
import type { Script } from './script.ts';
import { Stepper } from './stepper.ts';
import type { Counts } from './tally.ts';

/**
 * `lockstep`: every answer and every view goes with the specification. `noninterference`: a client is answered the same
 * with and without the others. `fault`: a call in which a fault fired and which failed has changed nothing. `schedule`:
 * calls that are interrupted by others are answered as if each had been made at once.
 */
export const PROPERTIES = ['lockstep', 'noninterference', 'fault', 'schedule'] as const;

export type PropertyName = (typeof PROPERTIES)[number];

/** Runs scripts on one target. Counts add up over all of them. */
export interface Trial {
  readonly counts: Counts;
  /** A script as it was drawn. The one that shows the finding may be another. */
  run(script: Script): { readonly script: Script; readonly finding: Finding } | undefined;
  /** A script that shows a finding, or one made from it. */
  again(script: Script): Finding | undefined;
}

export function trialOf<M, S extends Stateful>(
  property: PropertyName,
  spec: Spec<M, S>,
  target: Target<M>,
  premise?: string,
): Trial {
  if (property === 'noninterference') {
    const stepper = new Answering(spec, target);
    return plain(stepper.counts, (script) => runNoninterference(stepper, target, script));
  }
  const stepper = new Stepper(spec, target, premise);
  if (property === 'lockstep') return plain(stepper.counts, (script) => runScript(stepper, target, script));
  if (property === 'schedule') return plain(stepper.counts, (script) => runSchedule(stepper, target, script));
  return {
    counts: stepper.counts,
    run: (script) => sweepFaults(stepper, target, script),
    again: (script) => runFaults(stepper, target, script),
  };
}

const plain = (counts: Counts, again: Trial['again']): Trial => ({
  counts,
  again,
  run(script) {
    const finding = again(script);
    return finding && { script, finding };
  },
});

/** What scripts are drawn for. Faults are fired by the property itself, or would only be shortages. */
export function planOf<M, S extends Stateful>(
  property: PropertyName,
  { isolation }: Spec<M, S>,
  plan: Plan,
  concurrent?: Pick<Concurrent, 'points'>,
): Plan {
  if (property === 'lockstep') return plan;
  if (property === 'schedule') return { ...plan, points: concurrent?.points ?? {} };
  if (property === 'fault' || isolation === undefined) return { ...plan, noFaults: true };
  const { calls, policies } = isolation;
  const machine = { ...plan.machine, policies: { ...plan.machine?.policies, ...policies } };
  return { machine, noFaults: true, only: new Set(calls.filter((op) => plan.only?.has(op) !== false)) };
}
