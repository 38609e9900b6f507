/** A case: a script with what it showed, as a file that outlives the code it was found in. */
import * as z from 'zod';
import { SPEC } from '../model/index.ts';
import { compile, FORMAT, machineOf, type Script, ScriptError } from '../properties/index.ts';
import { word } from './arguments.ts';
import { CaseError } from './error.ts';
import { errorOf } from './issue.ts';
import { migrate } from './migrate.ts';
import { COMMANDS_MAX, nameSchema, scriptSchema, strict, type Tables } from './schema.ts';
import { parseJson } from './text.ts';
import type { Case } from './types.ts';

const TITLE_MAX = 2_000;

/**
 * Reads a case. A script alone is a case too, of which nothing is known yet.
 *
 * @param file - its name, for messages only
 * @throws {CaseError} when it is not a case; nothing else, whatever the text
 */
export function readCase(text: string, file: string): Case {
  const value = migrate(parseJson(text, file), file);
  const read = 'script' in value ? parse(CASE, value, file) : bare(value, file);
  checkReferences(read.script, file, 'script' in value ? 'script.' : '');
  checkProperty(read, file);
  return read;
}

/** A script alone. Its title is the name of the file. */
function bare(value: object, file: string): Case {
  const script = parse(SCRIPT, value, file);
  return { format: FORMAT, title: file, property: { name: 'lockstep' }, script };
}

function parse<T>(schema: z.ZodType<T>, value: object, file: string): T {
  const script = 'script' in value ? value.script : value;
  const commands =
    typeof script === 'object' && script !== null && 'commands' in script ? script.commands : [];
  if (Array.isArray(commands) && commands.length > COMMANDS_MAX)
    throw new CaseError(
      file,
      'commands',
      `expected at most ${COMMANDS_MAX} commands, got ${commands.length}`,
    );
  const result = schema.safeParse(value);
  if (!result.success) throw errorOf(file, value, result.error.issues);
  return result.data;
}

/** What no schema can say: that names are unique and of the kind that a call takes, that machine fields agree. */
function checkReferences(script: Script, file: string, prefix: string): void {
  try {
    compile(SPEC, script, machineOf(SPEC, script.machine));
  } catch (cause) {
    if (!(cause instanceof ScriptError)) throw cause;
    const problem = cause.message.slice(cause.path.length + 2);
    throw new CaseError(file, `${prefix}${cause.path}`, problem);
  }
}

/** A property that names what the script does not have would be asked of nothing, and hold. */
function checkProperty({ property, expect, script }: Case, file: string): void {
  const { commands, machine } = script;
  if (property.name === 'fault' && property.command >= commands.length)
    throw new CaseError(
      file,
      'property.command',
      `expected the index of one of ${commands.length} commands, got ${property.command}`,
    );
  if (property.name === 'duty' && script.schedule !== undefined)
    throw new CaseError(file, 'script.schedule', 'expected none: whose duty it was depends on the order');
  if (property.name === 'verdict' && expect !== undefined) {
    const known = SPEC.policies[property.policy]?.values ?? [];
    const [strange] = Object.keys(expect).filter((value) => !known.includes(value));
    if (strange !== undefined || Object.keys(expect).length === 0)
      throw new CaseError(
        file,
        'expect',
        `expected values of ${property.policy}: ${known.join(', ')}; got ${quoted(strange)}`,
      );
  }
  if (property.name !== 'noninterference' || SPEC.isolation === undefined) return;
  const { kind, policies } = SPEC.isolation;
  const { client } = property;
  if (!commands.some(({ op, as }) => as === client && SPEC.calls[op]?.gives?.kind === kind))
    throw new CaseError(file, 'property.client', `expected the name of a ${kind}, got ${quoted(client)}`);
  for (const [policy, value] of Object.entries(policies)) {
    const got = machine.policies?.[policy] ?? SPEC.policies[policy]?.values[0];
    if (got !== value)
      throw new CaseError(
        file,
        `script.machine.policies.${policy}`,
        `expected ${value}, with which alone ${property.name} is asked, got ${quoted(got)}`,
      );
  }
}

const quoted = (name: string | undefined): string =>
  name === undefined ? 'nothing' : JSON.stringify(name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?'));

const text = (): z.ZodString =>
  z.string({ error: 'a text' }).max(TITLE_MAX, `at most ${TITLE_MAX} characters`);
const index = (): z.ZodInt => z.int({ error: 'a number from 0' }).min(0, 'a number from 0');

const PROPERTY_NAMES = 'one of lockstep, verdict, schedule, noninterference, nondeterminism, duty, fault';

function propertySchema(tables: Tables, premises: readonly string[]): z.ZodType {
  const decided = Object.keys(tables.policies);
  const asked = z.int({ error: 'a count from 1' }).min(1, 'a count from 1');
  return z.discriminatedUnion(
    'name',
    [
      strict({ name: z.literal('lockstep') }),
      strict({ name: z.literal('verdict'), policy: word(decided), premise: word(premises) }),
      strict({ name: z.literal('schedule') }),
      strict({ name: z.literal('nondeterminism') }),
      strict({ name: z.literal('duty') }),
      strict({ name: z.literal('noninterference'), client: nameSchema() }),
      strict({ name: z.literal('fault'), command: index(), site: word(Object.keys(tables.sites)), n: asked }),
    ],
    { error: ({ code }) => (code === 'invalid_union' ? PROPERTY_NAMES : 'a property') },
  );
}

const foundSchema = (): z.ZodType =>
  z.union(
    [
      strict({ seed: z.int(), index: index(), version: text().optional() }),
      strict({ by: text(), version: text().optional() }),
    ],
    { error: '{ "seed": number, "index": number } or { "by": text }' },
  );

const findingSchema = (tables: Tables): z.ZodType =>
  strict({
    kind: word(['reply', 'invariant', 'view', 'pair', 'crash', 'specification', 'flaky', 'duty']),
    serves: nameSchema(),
    clause: text(),
    // None, where the target failed before the first call.
    layer: word([...new Set(Object.values(tables.calls).map(({ layer }) => layer)), '']),
    detail: text(),
    command: index(),
  });

const certificateSchema = (): z.ZodType => {
  const states = z.int({ error: 'a number of states' }).min(0, 'a number of states');
  return z.discriminatedUnion(
    'result',
    [
      strict({ result: z.literal('proven'), states }),
      strict({ result: z.literal('undecided'), states, reason: text().optional() }),
    ],
    { error: ({ code }) => (code === 'invalid_union' ? 'proven or undecided' : 'a certificate') },
  );
};

function caseSchema(tables: Tables, premises: readonly string[]): z.ZodType<Case> {
  return strict({
    format: z.literal(FORMAT, { error: `format ${FORMAT}` }),
    title: text(),
    property: propertySchema(tables, premises),
    target: text().optional(),
    found: foundSchema().optional(),
    finding: findingSchema(tables).optional(),
    certificate: certificateSchema().optional(),
    expect: z.record(text(), word(['broken', 'holds']), { error: 'an object' }).optional(),
    script: scriptSchema(tables),
  }) as unknown as z.ZodType<Case>;
}

const TABLES = SPEC as unknown as Tables;
const SCRIPT = scriptSchema(TABLES);
const CASE = caseSchema(
  TABLES,
  SPEC.premises.map(({ name }) => name),
);
