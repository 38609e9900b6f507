/** Every script of a scope, on a target in lockstep with the specification. */
import type { Spec, Stateful, Target } from '../../model/index.ts';
import { runScript } from '../drive.ts';
import { runFaults } from '../fault-atomicity.ts';
import type { Finding } from '../finding.ts';
import { runSchedule } from '../interleave.ts';
import { scriptOf } from '../record.ts';
import type { Script } from '../script.ts';
import { Stepper } from '../stepper.ts';
import { LockstepSystem, type Symmetric } from './lockstep-system.ts';
import type { Move } from './moves.ts';
import { type Scope, STATES_MAX } from './scope.ts';
import { type Searched, type SearchLimits, search } from './search.ts';

export interface Explored extends Omit<Searched, 'found'> {
  /** Where one of each set of states was visited that differ in names only. */
  readonly symmetry?: Symmetric;
  readonly found?: { readonly script: Script; readonly finding: Finding };
}

export interface ExploreOptions extends Pick<SearchLimits, 'wants'> {
  /** Only findings that decide this argument count. */
  readonly premise?: string;
}

/** What was found does not show itself when its script is run from boot: going back does not lead where one was. */
export class UnconfirmedError extends Error {
  readonly script: Script;

  constructor(target: string, script: Script, { detail }: Finding) {
    super(
      `${target}: a search found "${detail}", and the same calls from boot do not show it: ` +
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
  { premise, wants }: ExploreOptions = {},
): Explored {
  const system = new LockstepSystem(spec, target, scope, premise);
  const isWanted = (finding: Finding): boolean =>
    (premise === undefined || finding.premise === premise) && wants?.(finding) !== false;
  const { depth, states = STATES_MAX } = scope;
  const { found, ...rest } = search(system, { depth, states, wants: isWanted });
  const { symmetry } = system;
  const searched = symmetry === undefined ? rest : { ...rest, symmetry };
  system.close();
  if (found === undefined) return searched;
  const script = scriptOfPath(spec, target, scope, found.path);
  const stepper = new Stepper(spec, target, premise);
  const run = script.schedule !== undefined ? runSchedule : scope.trials === true ? runFaults : runScript;
  const finding = run(stepper, target, script);
  if (finding === undefined) throw new UnconfirmedError(target.name, script, found.finding);
  return { ...searched, found: { script, finding } };
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
