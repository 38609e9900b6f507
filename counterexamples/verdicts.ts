/**
 * The arguments that are decided, one row a choice. A row varies one policy; all others stand at their first value. Its
 * premise is part of the finding's identity, so that shrinking cannot slide to a trivial case.
 */
import { SPEC } from '../model/index.ts';
import type { Scope, ScriptMachine } from '../properties/index.ts';

export interface Verdict {
  /** The argument's short name, such as `T4`. */
  readonly argument: string;
  readonly policy: string;
  readonly value: string;
  /** What else is fixed, in words; empty: nothing. */
  readonly setting: string;
  readonly premise: string;
  readonly machine: ScriptMachine;
  /** Calls that scripts are made of; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Names of the scopes on which the row is decided by exhaustion. */
  readonly scopes: readonly string[];
}

/** An argument with what every value of its policy is tried under. */
interface Argument {
  readonly name: string;
  readonly policy: string;
  readonly premise: string;
  readonly settings: readonly (readonly [text: string, machine: ScriptMachine])[];
  /** Pages of every machine: few, where memory has to become short. */
  readonly pages?: number;
  readonly only?: readonly string[];
  readonly scopes: readonly string[];
}

const UNMOVABLE = ['unmovable occupants', { movable: [] }] as const;
const MOVABLE = ['movable occupants', { occupied: [] }] as const;
const CACHED = ['caches not coherent', { policies: { coherent: 'no' } }] as const;
const COHERENT = ['coherent', { policies: { coherent: 'yes' } }] as const;

/** What applications do with buffers, devices and CPUs. */
const BUFFERS = Object.keys(SPEC.calls).filter((op) => /^(ion|gpu|fd|cpu|device|tick)_/.test(op));
/** What it takes to run short of memory. */
const SHORTAGE = [
  'alloc_pages',
  'free_pages',
  'occupy',
  'release',
  'compact',
  'ion_client_create',
  'ion_alloc',
  'ion_free',
  'ion_client_destroy',
];

const ARGUMENTS: readonly Argument[] = [
  {
    name: 'T1',
    policy: 'contexts',
    premise: 'T1',
    settings: [['', {}]],
    only: BUFFERS,
    scopes: ['t1-contexts'],
  },
  {
    name: 'T2',
    policy: 'mapping',
    premise: 'T2',
    settings: [['', {}]],
    only: BUFFERS,
    scopes: ['t2-mapping'],
  },
  {
    name: 'T3',
    policy: 'backing',
    premise: 'T3',
    settings: [['', {}]],
    only: SHORTAGE,
    scopes: ['t3-backing'],
  },
  {
    name: 'T4',
    policy: 'pageArray',
    premise: 'T4',
    settings: [UNMOVABLE, MOVABLE],
    pages: 64,
    only: SHORTAGE,
    scopes: ['t4-page-array', 't4-page-array-short'],
  },
  {
    name: 'T5',
    policy: 'aliasing',
    premise: 'T5',
    settings: [CACHED],
    only: BUFFERS,
    scopes: ['t5-aliasing'],
  },
  {
    name: 'T6',
    policy: 'sync',
    premise: 'T6',
    settings: [CACHED, COHERENT],
    only: BUFFERS,
    scopes: ['t6-sync'],
  },
  {
    name: 'T7',
    policy: 'layout',
    premise: 'T7',
    settings: [UNMOVABLE, MOVABLE],
    pages: 32,
    only: SHORTAGE,
    scopes: ['t7-layout'],
  },
  { name: 'zeroing', policy: 'zeroing', premise: 'zeroing', settings: [['', {}]], scopes: ['zeroing'] },
  { name: 'strict', policy: 'invalidation', premise: 'strict', settings: [['', {}]], scopes: ['strict'] },
];

/** All rows, in the order of the table: argument, setting, value. */
export const VERDICTS: readonly Verdict[] = ARGUMENTS.flatMap(
  ({ name, policy, premise, settings, pages, only, scopes }) =>
    settings.flatMap(([setting, fixed]) =>
      (SPEC.policies[policy]?.values ?? []).map((value) => ({
        argument: name,
        policy,
        value,
        setting,
        premise,
        machine: {
          ...(pages === undefined ? {} : { pages }),
          ...fixed,
          policies: { ...fixed.policies, [policy]: value },
        },
        only,
        scopes,
      })),
    ),
);

/** A scope with the choice of a row, and its occupants as movable as the row says. */
export function scopeOf({ policy, value, machine: fixed }: Verdict, name: string): Scope {
  const scope = SPEC.scopes[name];
  if (scope === undefined) throw new Error(`internal error: there is no scope ${name}`);
  const { occupied = [], ...machine } = scope.machine as ScriptMachine;
  const runs = fixed.occupied === undefined ? { occupied } : { movable: occupied };
  const policies = { ...fixed.policies, [policy]: value };
  return { ...scope, machine: { ...machine, ...(occupied.length === 0 ? {} : runs), policies } };
}

/** The file that keeps the shortest case of a row that is broken. */
export function caseFileOf({ argument, value, setting }: Verdict): string {
  const words = [argument, value, ...(setting === '' ? [] : [setting])].join(' ');
  return `${words.toLowerCase().replaceAll(' ', '-')}.case.json`;
}
