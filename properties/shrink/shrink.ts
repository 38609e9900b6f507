/** Makes a failing script smaller for as long as the same finding remains. */
import type { Spec, Stateful } from '../../model/index.ts';
import { type Finding, isSameFinding } from '../finding.ts';
import type { Script } from '../script.ts';
import { smallerArguments } from './arguments.ts';
import { removeExtras, removeRuns, truncate } from './commands.ts';
import { bareMachine, fewerOccupied, firstPolicies, smallerMachine } from './machine.ts';
import { isSmaller, measure } from './measure.ts';
import { renamed } from './names.ts';
import { type Pass, without } from './pass.ts';
import { repoint } from './repoint.ts';

/** In the order in which they are tried: what removes most comes first. */
export const PASSES: readonly Pass[] = [
  truncate,
  removeRuns,
  repoint,
  removeExtras,
  smallerMachine,
  firstPolicies,
  fewerOccupied,
  smallerArguments,
  bareMachine,
];

export interface Shrunk {
  readonly script: Script;
  readonly finding: Finding;
  /** Scripts that were run on the way. */
  readonly executions: number;
}

/** Executions after which shrinking stops where it is. */
export const EXECUTIONS_MAX = 20_000;

/**
 * Shrinks to a fixpoint of all passes.
 *
 * @param run - runs a script from boot and returns what it finds
 */
export function shrink<M, S extends Stateful>(
  spec: Spec<M, S>,
  script: Script,
  finding: Finding,
  run: (script: Script) => Finding | undefined,
): Shrunk {
  let best = cut(script, finding, spec);
  let found = finding;
  let executions = 0;
  const attempt = (candidate: Script): boolean => {
    if (executions >= EXECUTIONS_MAX) return false;
    executions++;
    const next = run(candidate);
    if (next === undefined || !isSameFinding(next, finding)) return false;
    const shorter = cut(candidate, next, spec);
    if (!isSmaller(measure(shorter, spec), measure(best, spec))) return false;
    best = shorter;
    found = next;
    return true;
  };
  for (let improved = true; improved && executions < EXECUTIONS_MAX; ) {
    improved = false;
    for (const pass of PASSES) improved = exhaust(pass, spec, () => best, attempt) || improved;
  }
  const named = renamed(best);
  const last = run(named);
  if (last !== undefined && isSameFinding(last, finding)) return { script: named, finding: last, executions };
  return { script: best, finding: found, executions };
}

/** Runs one pass until it offers nothing better. */
function exhaust<M, S extends Stateful>(
  pass: Pass,
  spec: Spec<M, S>,
  current: () => Script,
  attempt: (candidate: Script) => boolean,
): boolean {
  let improved = false;
  for (let better = true; better; ) {
    better = false;
    const from = current();
    const size = measure(from, spec);
    for (const candidate of pass.candidates(from, spec)) {
      if (!isSmaller(measure(candidate, spec), size) || !attempt(candidate)) continue;
      better = true;
      improved = true;
      break;
    }
  }
  return improved;
}

/** What comes after the finding never mattered; under a schedule it may have run before. */
function cut<M, S extends Stateful>(script: Script, { command }: Finding, spec: Spec<M, S>): Script {
  if (script.schedule !== undefined) return script;
  const after = script.commands.length - command - 1;
  if (after <= 0) return script;
  return without(script, new Set(Array.from({ length: after }, (_, at) => command + 1 + at)), spec);
}

/** Every candidate of every pass that is smaller, for shrinkers that bring their own loop. */
export function* candidates<M, S extends Stateful>(
  script: Script,
  spec: Spec<M, S>,
  fromPass = 0,
): Generator<{ readonly script: Script; readonly pass: number }> {
  const size = measure(script, spec);
  for (let at = 0; at < PASSES.length; at++) {
    const pass = (fromPass + at) % PASSES.length;
    for (const candidate of (PASSES[pass] as Pass).candidates(script, spec)) {
      if (isSmaller(measure(candidate, spec), size)) yield { script: candidate, pass };
    }
  }
}
