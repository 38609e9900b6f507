/** Every script of a scope, on a target in lockstep with the specification. */
import type { Spec, Stateful, Target } from '../../model/index.ts';
import { runExplained } from '../drive.ts';
import { runFaults } from '../fault-atomicity.ts';
import type { Finding } from '../finding.ts';
import { runSchedule } from '../interleave.ts';
import { scriptOf } from '../record.ts';
import type { Script } from '../script.ts';
import { Stepper } from '../stepper.ts';
import type { Wants } from './expander.ts';
import { LockstepSystem } from './lockstep-system.ts';
import type { Move } from './moves.ts';
import { type Scope, STATES_MAX } from './scope.ts';
import { type Searched, type SearchLimits, search, type Told } from './search.ts';

/** What symmetry has spared. */
interface Symmetric {
  /** Ways to rename, the one that changes nothing included. */
  readonly renamings: number;
  /** States that the visited ones stand for, themselves included; not all of them need be reachable. */
  readonly standsFor: number;
}

export interface Explored extends Omit<Searched, 'found' | 'standsFor'> {
  /** Where one of each set of states was visited that differ in names only. */
  readonly symmetry?: Symmetric;
  readonly found?: { readonly script: Script; readonly finding: Finding };
}

export interface ExploreOptions {
  /** Only findings for which it holds count. */
  readonly wants?: Wants;
  /** Only findings that decide this argument count. */
  readonly premise?: string;
  /** Is told now and then how far the search is, and may end it. */
  readonly goesOn?: (told: Told) => boolean;
}

/** What a search says is not what its script shows from boot: going back does not lead where one was. */
export class UnconfirmedError extends Error {
  readonly script: Script;

  /** @param by - who has the finding: the other has none */
  constructor(target: string, script: Script, { detail }: Finding, by: 'search' | 'script' = 'search') {
    const problem =
      by === 'search'
        ? `a search found "${detail}", and the same calls from boot do not show it`
        : `a search found nothing, and the same calls from boot show "${detail}"`;
    super(
      `${target}: ${problem}: ` +
        'what its undo restores or its fingerprint tells apart is not all of its state',
    );
    this.name = 'UnconfirmedError';
    this.script = script;
  }
}

/**
 * Searches a scope. What is found was confirmed by running its script from boot.
 *
 * @throws {UnconfirmedError} when that does not show it again
 * @throws Error when the target cannot undo
 */
export function explore<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scope: Scope,
  { premise, wants, goesOn }: ExploreOptions = {},
): Explored {
  const system = new LockstepSystem(spec, target, scope, premise);
  const searched = search(system, limitsOf(scope), wanting(premise, wants), goesOn);
  system.close();
  return confirmed(spec, target, scope, { searched, renamings: system.renamings }, premise);
}

/** Only findings that decide an argument count, where there is one, and those that are wanted. */
export const wanting =
  (premise: string | undefined, wants: Wants = () => true): Wants =>
  (finding) =>
    (premise === undefined || finding.premise === premise) && wants(finding);

export const limitsOf = ({ depth, states = STATES_MAX, memory }: Scope): SearchLimits => ({
  depth,
  states,
  ...(memory === undefined ? {} : { memory }),
});

/** A search that is over. */
export interface Ended {
  readonly searched: Searched;
  /** Undefined without symmetry. */
  readonly renamings: number | undefined;
}

/** What came out, but for what was found. */
export function covered({ searched, renamings }: Ended): Omit<Explored, 'found'> {
  const { found, standsFor, ...counted } = searched;
  return renamings === undefined ? counted : { ...counted, symmetry: { renamings, standsFor } };
}

/** What came out, with the script of what was found, which is run from boot before it is believed. */
export function confirmed<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scope: Scope,
  ended: Ended,
  premise?: string,
): Explored {
  const { found } = ended.searched;
  if (found === undefined) return covered(ended);
  const script = scriptOfPath(spec, target, scope, found.path);
  const stepper = new Stepper(spec, target, premise);
  const run = script.schedule !== undefined ? runSchedule : scope.trials === true ? runFaults : runExplained;
  const finding = run(stepper, target, script);
  if (finding === undefined) throw new UnconfirmedError(target.name, script, found.finding);
  return { ...covered(ended), found: { script, finding } };
}

/** The script of a path: its moves are named by numbers that mean something only on the way. */
export function scriptOfPath<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scope: Scope,
  path: readonly number[],
): Script {
  const system = new LockstepSystem(spec, target, scope);
  const moves: Move[] = [];
  for (const number of path) {
    moves.push(system.move(number));
    system.make(number);
  }
  return scriptOf(spec, target, scope.machine, moves);
}
