/**
 * What a script is about: few of the calls have a weight, because what a script leaves out decides which states it
 * reaches as much as what it does.
 */
import type { ArgShape, CallShape, Spec, Stateful } from '../model/index.ts';
import type { Choices } from './choices.ts';
import type { Draft } from './draft.ts';
import type { Plan } from './generate.ts';

/** Calls that a script is about, before those that they need; beyond their number: all. */
const WIDTHS = [2, 4, 8, 16, Number.POSITIVE_INFINITY];
/** Weights are multiples of this, so that they can be divided. */
const WEIGHT_UNIT = 16;

export interface Weighted {
  readonly op: string;
  readonly shape: CallShape;
  /** 0: the script is not about it; it is made where others need it, or to give back what there is too much of. */
  readonly weight: number;
  /** Kinds that its references need, and whether a result that is gone will do. */
  readonly needs: readonly Need[];
  /** Kind of what it consumes. */
  readonly consumes: string | undefined;
}

export interface Need {
  readonly kinds: readonly string[];
  readonly staleToo: boolean;
}

/** All calls that may be made. Few of them have a weight, so that a script gets deep into something. */
export function drawWeights<M, S extends Stateful>(
  spec: Spec<M, S>,
  choices: Choices,
  { only, points = {} }: Plan,
): Weighted[] {
  const calls = Object.entries(spec.calls).filter(([op]) => only?.has(op) !== false);
  const goals = drawGoals(choices, calls, points);
  return calls.map(([op, shape], at) => {
    const needs = Object.values(shape.args)
      .filter(needsResult)
      .map(({ of }) => ({ kinds: of, staleToo: isUserKind(spec, of) }));
    const consumed = Object.values(shape.args).find((arg) => arg.is === 'ref' && arg.consumes === true);
    const consumes = consumed !== undefined && 'of' in consumed ? consumed.of[0] : undefined;
    return { op, shape, needs, consumes, weight: goals.has(at) ? 2 ** choices.below(4) : 0 };
  });
}

/**
 * Which calls a script is about: those that take or give one or two kinds of things that go together, with what
 * happens by itself and a few others; or a few, or all.
 */
function drawGoals(
  choices: Choices,
  calls: readonly (readonly [op: string, shape: CallShape])[],
  points: Readonly<Record<string, number>>,
): Set<number> {
  const any = (): number => choices.below(calls.length);
  const width = WIDTHS[choices.below(WIDTHS.length)] ?? 1;
  if (choices.below(2) === 0)
    return new Set(calls.map((_call, at) => (width < calls.length ? any() : at)).slice(0, width));
  const interruptible = calls.filter(([op]) => points[op] !== undefined);
  const from = interruptible.length > 0 && choices.below(2) === 0 ? interruptible : calls;
  const kinds = kindsOf(from[choices.below(from.length)]?.[1]);
  const about = [0, 1].map(() => kinds[choices.below(kinds.length)]);
  const goals = new Set([any(), any()]);
  for (const [at, [, shape]] of calls.entries()) {
    const isAbout = kindsOf(shape).some((kind) => about.includes(kind));
    if (isAbout || (Object.keys(shape.args).length === 0 && choices.below(2) === 0)) goals.add(at);
  }
  return goals;
}

/** Kinds of what a call takes and gives. */
export const kindsOf = (shape: CallShape | undefined): readonly string[] => {
  const taken = Object.values(shape?.args ?? {}).flatMap((arg) => (needsResult(arg) ? arg.of : []));
  return shape?.gives?.kind === undefined ? taken : [...taken, shape.gives.kind];
};

type Needing = Extract<ArgShape, { readonly is: 'ref' | 'refs' | 'address' }>;

/** The argument is drawn from results of earlier commands. */
const needsResult = (arg: ArgShape): arg is Needing =>
  arg.is === 'ref' || arg.is === 'refs' || arg.is === 'address';

const isUserKind = <M, S extends Stateful>(spec: Spec<M, S>, kinds: readonly string[]): boolean =>
  kinds.some((kind) => spec.kinds[kind]?.user === true);

/**
 * What needs much is made more often, or it would hardly ever be; what there is much of is hardly made and given back
 * often, or memory and ids would soon be gone for good.
 */
export function weightNow({ weight, needs, shape, consumes }: Weighted, draft: Draft, many: number): number {
  const kind = shape.gives?.kind;
  if (consumes !== undefined && draft.liveCount(consumes) > many)
    return WEIGHT_UNIT * Math.max(2 * weight, 2);
  let now = weight * WEIGHT_UNIT * (1 + needs.length);
  if (needs.length === 0 && kind === undefined) now /= 2;
  if (kind !== undefined && draft.liveCount(kind) >= many) now /= 16;
  if (consumes !== undefined && draft.liveCount(consumes) === 0) now /= 8;
  return Math.ceil(now);
}
