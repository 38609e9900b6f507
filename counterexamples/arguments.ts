/** The schema of one argument, from its shape in the table of calls. */
import * as z from 'zod';
import type { ArgShape, CallShape } from '../model/index.ts';
import { nearest } from './near.ts';

/** A name starts with a letter; what starts with a digit is a literal. */
export const NAME: RegExp = /^[A-Za-z][A-Za-z0-9_]*$/;
/** A number above 2^53, of at most 64 bits. */
const LITERAL = /^0x[0-9a-f]{1,16}$/i;
const WORDS_MAX = 64;

interface Calls {
  readonly calls: Readonly<Record<string, CallShape>>;
}

export function argumentSchema(tables: Calls, shape: ArgShape): z.ZodType {
  switch (shape.is) {
    case 'number':
      return union('a number', [integer, literal]);
    case 'ref':
      return union('a name or a number', [integer, literal, reference(tables)]);
    case 'refs':
      return list(reference(tables)('a name'), shape.most, 'a list of names');
    case 'address':
      return union('{ "in": name, "offset": bytes } or a number', [integer, literal, place(tables)]);
    case 'word':
      return word(shape.of);
    case 'words':
      return list(word(shape.of), WORDS_MAX, 'a list of words');
  }
}

/** One of a few words. */
export const word = (words: readonly string[]): z.ZodType =>
  z.enum(words as [string, ...string[]], {
    error: ({ input }) => {
      const near = typeof input === 'string' ? nearest(input, words) : [];
      return `one of ${words.join(', ')}${near.length > 0 ? ` (did you mean ${near.join(' or ')}?)` : ''}`;
    },
  });

/** A schema that says the same whatever is wrong: what is expected as a whole. */
type Option = (expected: string) => z.ZodType;

const union = (expected: string, options: readonly Option[]): z.ZodType =>
  z.union(
    options.map((option) => option(expected)),
    { error: expected },
  );

const integer: Option = (expected) => z.int({ error: expected });

const literal: Option = (expected) => z.string({ error: expected }).regex(LITERAL, expected);

/** `name` or `name.field`, where the field is a single number of what some call gives. */
function reference({ calls }: Calls): Option {
  const fields = Object.values(calls).flatMap(({ gives }) => Object.entries(gives?.fields ?? {}));
  const single = fields.filter(([, { is }]) => is === 'number' || is === 'pfn').map(([name]) => name);
  const pattern = new RegExp(`^[A-Za-z][A-Za-z0-9_]*(\\.(${[...new Set(single)].join('|')}))?$`);
  return (expected) => z.string({ error: expected }).regex(pattern, expected);
}

const place =
  (tables: Calls): Option =>
  (expected) =>
    z.strictObject({ in: reference(tables)(expected), offset: integer(expected) }, { error: expected });

const list = (item: z.ZodType, most: number, expected: string): z.ZodType =>
  z.array(item, { error: expected }).max(most, `${expected}, at most ${most}`);
