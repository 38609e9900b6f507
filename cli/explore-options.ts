/** The options of `explore`: a named scope, what of it is to be otherwise, or a scope of one's own. */
import { type NamedScope, SPEC } from '../model/index.ts';
import { type Scope, STATES_MAX } from '../properties/index.ts';
import { UsageError } from './exit.ts';
import { integer, known } from './option-values.ts';
import { callsOf, machineOptions, premiseOf, type RawMachineOptions, threadsOf } from './options.ts';
import { type TargetName, targetName } from './targets.ts';

export interface RawExploreOptions extends RawMachineOptions {
  readonly scope?: readonly string[];
  readonly target?: string;
  readonly only?: readonly string[];
  readonly few?: string;
  readonly depth?: string;
  readonly states?: string;
  readonly maxMemory?: string;
  readonly faults?: string;
  readonly overlaps?: string;
  /** True with `--symmetry`, false with `--no-symmetry`. */
  readonly symmetry?: boolean;
  /** False with `--no-closing`. */
  readonly closing?: boolean;
  readonly premise?: string;
  readonly threads?: string;
  readonly cases: string;
  readonly list?: true;
  readonly spec?: true;
  /** A file, or true: from boot. */
  readonly step?: string | true;
  readonly tests?: string;
  readonly detail?: string;
  readonly length?: string;
  readonly json?: true;
}

/** A scope, and what it is called. */
export interface Asked {
  readonly name: string;
  readonly text: string;
  readonly scope: Scope;
}

export interface ExploreOptions {
  readonly target: TargetName;
  readonly asked: readonly Asked[];
  readonly premise: string | undefined;
  readonly threads: number;
  readonly cases: string;
  readonly list: boolean;
  /** The specification is searched, and no target. */
  readonly spec: boolean;
  readonly json: boolean;
}

/** Commands in a script of a scope that nobody gave a depth. */
const DEPTH = 4;
const DEPTH_MAX = 1_000;
const STATES_LIMIT = 1_000_000_000;
/** States of a specification alone: there are many, because every reply is followed. */
const SPEC_STATES = 5_000;
/** Mebibytes: a tebibyte. */
const MEMORY_LIMIT = 2 ** 20;
const FEW_MAX = 64;
const BUDGET_MAX = 8;

/** What is done instead of searching the target. */
const INSTEAD = ['list', 'spec', 'step', 'tests'] as const;

/** @throws {UsageError} when two of them are asked for, or one and what it cannot be about */
export function checkTogether(raw: RawExploreOptions): void {
  const [first, second] = INSTEAD.filter((name) => raw[name] !== undefined);
  if (second !== undefined) throw new UsageError(`--${first}: not together with --${second}`);
  if (raw.spec === true && raw.target !== undefined)
    throw new UsageError('--spec: it searches the specification alone, and no --target');
}

/** @throws {UsageError} for the first option that does not fit */
export function exploreOptions(raw: RawExploreOptions, program: readonly string[]): ExploreOptions {
  const { premise } = raw;
  const target = targetName(raw.target ?? 'builtin', program);
  if (target.name.startsWith('process:'))
    throw new UsageError(
      '--target: a process cannot go back to an earlier state; draw scripts for it: ionclad run',
    );
  const named = scopesOf(raw);
  const asked = raw.spec === true ? named.map((each) => ({ ...each, scope: alone(each.scope, raw) })) : named;
  return {
    target,
    asked,
    premise: premise === undefined ? undefined : premiseOf(premise),
    threads: threadsOf(raw.threads),
    cases: raw.cases,
    list: raw.list === true,
    spec: raw.spec === true,
    json: raw.json === true,
  };
}

/** The scopes that are asked for. */
export const scopesOf = (raw: RawExploreOptions): Asked[] =>
  raw.scope === undefined && raw.only !== undefined ? [ownScope(raw)] : namedScopes(raw);

/** All that are not large, where none was named. */
function namedScopes(raw: RawExploreOptions): Asked[] {
  const all = Object.keys(SPEC.scopes);
  const small = all.filter((name) => SPEC.scopes[name]?.large !== true);
  const names = raw.scope?.map((name) => known('--scope', name, all)) ?? small;
  return names.map((name) => {
    const scope = SPEC.scopes[name] as NamedScope;
    return { name, text: scope.text, scope: narrowed(scope, raw) };
  });
}

export function ownScope(raw: RawExploreOptions): Asked {
  const text = 'calls and machine as the options say';
  return { name: 'own', text, scope: narrowed({ machine: {}, depth: DEPTH }, raw) };
}

/** For the specification alone, where every reply is tried and faults and other actors make no others. */
function alone({ faults: _, overlaps: __, trials: ___, ...scope }: Scope, raw: RawExploreOptions): Scope {
  return {
    ...scope,
    symmetry: raw.symmetry ?? true,
    ...(raw.states === undefined ? { states: SPEC_STATES } : {}),
  };
}

/** The scope with what the options say instead. */
function narrowed(scope: Scope, raw: RawExploreOptions): Scope {
  const { machine } = machineOptions(raw);
  const policies = { ...scope.machine.policies, ...machine.policies };
  const numbers = {
    ...number('few', raw.few, 1, FEW_MAX),
    ...number('depth', raw.depth, 0, DEPTH_MAX),
    ...(raw.maxMemory === undefined
      ? {}
      : { memory: integer('--max-memory', raw.maxMemory, 1, MEMORY_LIMIT) }),
    ...number('faults', raw.faults, 0, BUDGET_MAX),
    ...number('overlaps', raw.overlaps, 0, BUDGET_MAX),
  };
  return {
    ...scope,
    ...numbers,
    machine: {
      ...scope.machine,
      ...machine,
      ...(Object.keys(policies).length === 0 ? {} : { policies }),
    },
    ...(raw.only === undefined ? {} : { only: callsOf(raw.only) }),
    states:
      raw.states === undefined
        ? (scope.states ?? STATES_MAX)
        : integer('--states', raw.states, 1, STATES_LIMIT),
    ...(raw.symmetry === undefined ? {} : { symmetry: raw.symmetry }),
    ...(raw.closing === false ? { closes: false } : {}),
  };
}

const number = (name: string, text: string | undefined, from: number, to: number): Partial<Scope> =>
  text === undefined ? {} : { [name]: integer(`--${name}`, text, from, to) };
