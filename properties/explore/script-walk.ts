/** The way of a script through what is searched: a search that could not find the script itself proves nothing. */
import type { Spec, Stateful, Target } from '../../model/index.ts';
import { type Finding, isSameFinding } from '../finding.ts';
import { LockstepSystem } from './lockstep-system.ts';
import type { Move } from './moves.ts';
import type { ScriptScope } from './script-scope.ts';

export interface Walked {
  /** Why the script is not among those that are searched, in words. */
  readonly problem?: string;
  /** Two states on the way look the same: what is made between them is for nothing. */
  readonly returns?: boolean;
}

/** Makes the moves of a script, goes back, and makes them again: they must end with the finding both times. */
export function walk<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  { moves, scope }: ScriptScope,
  finding: Finding,
  premise?: string,
): Walked {
  const system = new LockstepSystem(spec, target, { ...scope, depth: moves.length }, premise);
  const states = new Set<string>();
  const isFound = (): boolean | string => {
    for (const [at, move] of moves.entries()) {
      states.add(system.fingerprint().join());
      const number = numberOf(system, move);
      if (number === undefined) return `command ${at + 1} is not among the moves that are searched`;
      const made = system.make(number);
      if (made === 'undue') return false;
      const seen = made === 'made' ? (system.look() ?? system.lookFurther()) : made;
      if (seen !== undefined) return at === moves.length - 1 && isSameFinding(seen, finding);
    }
    return false;
  };
  const first = isFound();
  const returns = states.size < moves.length;
  for (let made = 0; first === true && made < moves.length; made++) system.back();
  const found = first === true ? isFound() : first;
  if (found === true) return { returns: returns || states.size !== moves.length };
  const problem = found === false ? 'a search does not find the script itself' : found;
  return { problem, returns };
}

function numberOf<M, S extends Stateful>(system: LockstepSystem<M, S>, move: Move): number | undefined {
  const text = textOf(move);
  const count = system.count();
  for (let number = 0; number < count; number++) if (textOf(system.move(number)) === text) return number;
  return undefined;
}

const textOf = ({ call, during }: Move): string =>
  JSON.stringify([call, during].map((each) => each && [each.op, each.args, each.fail]));
