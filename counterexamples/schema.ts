/** The schema of scripts, derived from the specification's tables: a new call, field or policy needs no line here. */
import * as z from 'zod';
import type { CallShape, Spec, SpecField } from '../model/index.ts';
import { type Script, START_MAPS } from '../properties/index.ts';
import { argumentSchema, NAME, word } from './arguments.ts';
import { suggest } from './near.ts';

/** The parts of a specification that scripts are checked against. */
export type Tables = Pick<Spec<never, never>, 'fields' | 'policies' | 'calls' | 'sites' | 'kinds'>;

/** Commands in a script at most. */
export const COMMANDS_MAX = 10_000;
const PREEMPTIONS_MAX = 10_000;
/** A machine of the most pages there may be, every other one held. */
const RUNS_MAX = 2_097_152;

/** An object with these fields and no others; the message for others offers the nearest. */
export function strict<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `there is no such field${suggest(String(issue.keys?.[0]), known)}`
        : 'an object',
  });
}

/** A name of a result or an actor. Literals start with a digit, so the two cannot be mixed up. */
export const nameSchema = (): z.ZodType<string> => z.string({ error: 'a name' }).regex(NAME, 'a name');

/** The schema of a script as it stands in a file: the format number may be left to the case around it. */
export function scriptSchema(tables: Tables): z.ZodType<Script> {
  return strict({
    format: z.literal(1, { error: 'format 1' }).default(1),
    machine: machineSchema(tables),
    commands: z
      .array(commandSchema(tables), { error: 'a list of commands' })
      .max(COMMANDS_MAX, `at most ${COMMANDS_MAX} commands`),
    schedule: z
      .array(preemptionSchema(), { error: 'a list of preemptions' })
      .max(PREEMPTIONS_MAX, `at most ${PREEMPTIONS_MAX} preemptions`)
      .optional(),
  }) as unknown as z.ZodType<Script>;
}

function machineSchema({ fields, policies }: Tables): z.ZodType {
  const numbers = Object.entries(fields).map(([name, field]) => [name, fieldSchema(field).optional()]);
  const choices = Object.entries(policies).map(([name, { values }]) => [name, word(values).optional()]);
  const page = z.int({ error: 'a page number' }).min(0, 'a page number');
  const count = z.int({ error: 'a number of pages' }).min(1, 'a number of pages');
  const run = z.tuple([page, count], { error: 'a run of pages: [first, count]' });
  const runs = z.array(run, { error: 'a list of runs' }).max(RUNS_MAX, `at most ${RUNS_MAX} runs`).optional();
  return strict({
    ...(Object.fromEntries(numbers) as Record<string, z.ZodType>),
    policies: strict(Object.fromEntries(choices) as Record<string, z.ZodType>).optional(),
    ...(Object.fromEntries(START_MAPS.map((map) => [map, runs])) as Record<string, z.ZodType>),
  });
}

function fieldSchema({ from, to, powerOfTwo }: SpecField): z.ZodType {
  const error = `${powerOfTwo === true ? 'a power of two' : 'an integer'} from ${from} to ${to}`;
  const range = z.int({ error }).min(from, error).max(to, error);
  return powerOfTwo === true ? range.refine((value) => Math.log2(value) % 1 === 0, error) : range;
}

function commandSchema(tables: Tables): z.ZodType {
  const names = Object.keys(tables.calls);
  const options = Object.entries(tables.calls).map(([op, shape]) => callSchema(tables, op, shape));
  return z.discriminatedUnion('op', options as unknown as [z.ZodObject], {
    error: ({ code, input }) => {
      if (code !== 'invalid_union') return 'a command';
      const op = (input as { readonly op?: unknown }).op;
      return typeof op === 'string' ? `the name of a call${suggest(op, names)}` : 'the name of a call';
    },
  });
}

/** One call: its arguments by shape, and what every command may carry beside them. */
function callSchema(tables: Tables, op: string, { args }: CallShape): z.ZodObject {
  const shapes = Object.entries(args).map(([name, shape]) => [name, argumentSchema(tables, shape)]);
  const asked = z.int({ error: 'a count from 1' }).min(1, 'a count from 1').optional();
  return strict({
    op: z.literal(op),
    ...(Object.fromEntries(shapes) as Record<string, z.ZodType>),
    as: nameSchema().optional(),
    actor: nameSchema().optional(),
    fail: strict(Object.fromEntries(Object.keys(tables.sites).map((site) => [site, asked]))).optional(),
  }) as unknown as z.ZodObject;
}

const preemptionSchema = (): z.ZodType =>
  strict({
    in: nameSchema(),
    point: z.int({ error: 'a switch point from 1' }).min(1, 'a switch point from 1'),
    to: nameSchema(),
  });
