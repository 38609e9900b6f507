/** Draws the arguments of a command from their shapes in the table of calls. */
import type { ArgShape, CallShape } from '../model/index.ts';
import type { Choices } from './choices.ts';
import type { Argument } from './script.ts';

/** What references and places are drawn from: results of a script, or the objects of a state. */
export interface Environment {
  /** A reference to something of one of the kinds, or undefined: there is none. */
  reference(kinds: readonly string[], consumes: boolean): string | number | undefined;
  place(kinds: readonly string[], offset: number, side?: 'cpu'): Argument | undefined;
  readonly limits: Readonly<Record<string, number>>;
  /** Small sizes and nothing odd: the result is wanted. */
  readonly modest?: boolean;
  /** Values of a number at the most; then nothing outside its range is drawn either. */
  readonly few?: number;
}

/** All arguments of a call, or undefined when there is nothing to refer to. */
export function drawArguments(
  choices: Choices,
  { args }: CallShape,
  environment: Environment,
): Record<string, Argument> | undefined {
  const drawn: [name: string, value: Argument][] = [];
  // The last first: what stands behind, such as a handle, says which of those before it goes with it.
  for (const [name, shape] of Object.entries(args).reverse()) {
    const value = drawArgument(choices, shape, environment);
    if (value === undefined) return undefined;
    drawn.unshift([name, value]);
  }
  return Object.fromEntries(drawn);
}

function drawArgument(choices: Choices, shape: ArgShape, environment: Environment): Argument | undefined {
  switch (shape.is) {
    case 'ref':
      return environment.reference(shape.of, shape.consumes === true);
    case 'refs':
      return drawReferences(choices, shape, environment);
    case 'address':
      return drawPlace(choices, shape, environment);
    case 'number':
      return drawNumber(choices, shape, environment);
    case 'word':
      return shape.of[
        choices.pick(shape.of.map((_word, index) => (index === 0 && shape.of.length > 2 ? 3 : 1)))
      ];
    case 'words':
      return drawWords(choices, shape.of, environment);
  }
}

/** One word mostly, or several; none now and then. An enumeration has every single word, and all. */
function drawWords(
  choices: Choices,
  words: readonly string[],
  { few, modest }: Environment,
): readonly string[] {
  const one = choices.below(words.length + (modest === true ? 0 : 1));
  if (one < words.length) return words.slice(one, one + 1);
  if (few !== undefined) return words;
  const some = choices.below(2 ** words.length);
  return words.filter((_word, at) => (some >>> at) % 2 === 1);
}

type Shape<Is> = Extract<ArgShape, { readonly is: Is }>;

function drawReferences(
  choices: Choices,
  shape: Shape<'refs'>,
  environment: Environment,
): Argument | undefined {
  const most = Math.min(shape.most, environment.few ?? shape.most);
  const count = 1 + choices.below(most);
  const list: (string | number)[] = [];
  for (let at = 0; at < count; at++) {
    const reference = environment.reference(shape.of, false);
    const isNew = reference !== undefined && !list.includes(reference);
    // An enumeration has the shorter list already.
    if (!isNew && environment.few !== undefined) return undefined;
    if (isNew) list.push(reference);
  }
  return list.length === 0 ? undefined : list;
}

function drawPlace(
  choices: Choices,
  shape: Shape<'address'>,
  environment: Environment,
): Argument | undefined {
  const { limits, few } = environment;
  const step = limits[shape.step] ?? 1;
  const offsets = Math.min(limits[shape.to] ?? 1, few ?? Number.POSITIVE_INFINITY);
  const wild = shape.wild === undefined ? 0 : (limits[shape.wild] ?? 0);
  if (wild > 0 && few === undefined && choices.below(8) === 0) return drawWild(choices, step, wild);
  const offset = few !== undefined || choices.below(2) === 0 ? step * choices.below(offsets) : 0;
  return environment.place(shape.of, offset, shape.side);
}

/** Any address, or one of the two at which the space ends: what is wrong with bounds shows there. */
const drawWild = (choices: Choices, step: number, end: number): number =>
  choices.below(4) === 0 ? end - step * choices.below(2) : step * choices.below(end / step);

function drawNumber(choices: Choices, shape: Shape<'number'>, environment: Environment): Argument {
  const { limits, few, modest } = environment;
  const { from, odd, unit } = shape;
  const to = typeof shape.to === 'number' ? shape.to : (limits[shape.to] ?? from);
  const size = unit === undefined ? 1 : (limits[unit] ?? 1);
  const count = Math.max(to - from + 1, 1);
  if (few !== undefined) return (from + choices.below(Math.min(count, few))) * size;
  const { likely = [] } = shape;
  if (likely.length > 0 && choices.below(2) === 0)
    return Math.min(likely[choices.below(likely.length)] ?? from, to) * size;
  if (modest === true) return (from + choices.below(Math.min(count, 2))) * size;
  if (odd !== undefined && choices.below(16) === 0) return odd[choices.below(odd.length)] as number | string;
  // Small values mostly: many of them fit a small machine at once, and that is where states get rich.
  const value = (from + choices.below(choices.below(3) === 0 ? count : Math.min(count, 3))) * size;
  return shape.ragged === true && choices.below(2) === 0 ? value - choices.below(size) : value;
}
