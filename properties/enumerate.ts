/** Every call that can be made in a state, with few values for each argument. */
import type { Args, Call, Spec, Stateful } from '../model/index.ts';
import { type Choices, everyChoice } from './choices.ts';
import { drawArguments, type Environment } from './draw.ts';

/**
 * The calls of a state: references over everything that exists plus one id that does not, for what users hold;
 * places at everything that has addresses.
 *
 * @param few - values of a number, offsets in a place and references in a list, at the most
 */
export function* callsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  world: S,
  limits: Readonly<Record<string, number>>,
  only: readonly string[],
  few: number,
): Generator<Call> {
  for (const op of only) {
    const shape = spec.calls[op];
    if (shape === undefined) continue;
    for (const choices of everyChoice()) {
      const args = drawArguments(choices, shape, objectsOf(spec, world, limits, choices, few));
      if (args !== undefined) yield { op, args: args as Args };
    }
  }
}

function objectsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  world: S,
  limits: Readonly<Record<string, number>>,
  choices: Choices,
  few: number,
): Environment {
  const drawOf = (list: readonly number[]): number | undefined =>
    list.length === 0 ? undefined : list[choices.below(list.length)];
  return {
    limits,
    few,
    reference: (kinds) => drawOf(kinds.flatMap((kind) => withStale(spec, kind, spec.live(world, kind)))),
    place(kinds, offset, side) {
      const base = drawOf(kinds.flatMap((kind) => [...spec.addresses(world, kind, side)]));
      return base === undefined ? undefined : base + offset;
    },
  };
}

/** What users hold may be an id that does not exist; one such id stands for all. */
function withStale<M, S extends Stateful>(spec: Spec<M, S>, kind: string, live: readonly number[]): number[] {
  return spec.kinds[kind]?.user === true ? [...live, Math.max(0, ...live) + 1] : [...live];
}
