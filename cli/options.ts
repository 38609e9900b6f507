/** The options of `run`: from texts to values, each checked against the specification's tables. */
import { availableParallelism } from 'node:os';
import { VERDICTS } from '../counterexamples/index.ts';
import { nearest } from '../counterexamples/near.ts';
import { SPEC } from '../model/index.ts';
import {
  CERTIFY_STATES,
  machineOf,
  PROPERTIES,
  type PropertyName,
  ScriptError,
  type ScriptMachine,
} from '../properties/index.ts';
import { type Bug, ZOO } from '../targets/zoo/index.ts';
import { type FolderCoverage, readCoverage } from './coverage.ts';
import { DEFAULT_SCRIPTS } from './defaults.ts';
import { UsageError } from './exit.ts';
import { type Memory, pagesOption, readMemory } from './memory-options.ts';
import { integer, known, positive } from './option-values.ts';
import { type TargetName, targetName } from './targets.ts';
import type { VerdictOptions } from './verdicts.ts';
import type { ZooOptions } from './zoo.ts';

/** What commands that make machines are asked for, as commander hands it over. */
export interface RawMachineOptions {
  readonly memory?: string;
  readonly pages?: string;
  readonly machine?: readonly string[];
  readonly policy?: readonly string[];
}

/** What commands that shrink are asked for. */
export interface RawProofOptions {
  readonly states?: string;
  /** False with `--no-proof`. */
  readonly proof?: boolean;
}

export interface RawRunOptions extends RawMachineOptions, RawProofOptions {
  readonly target: string;
  readonly seed: string;
  readonly scripts?: string;
  readonly time?: string;
  readonly threads?: string;
  readonly only?: readonly string[];
  readonly premise?: string;
  readonly property?: string;
  readonly cases: string;
  /** False with `--no-retry`. */
  readonly retry?: boolean;
  readonly situations?: true;
  readonly gate?: true;
  readonly coverage?: string;
  readonly figures?: string;
  readonly json?: true;
}

/** What is fixed of every machine. */
export interface MachineOptions {
  readonly machine: ScriptMachine;
  /** What of it was named, beside the memory. */
  readonly named: ScriptMachine;
  readonly memory: Memory | undefined;
}

export interface RunOptions extends MachineOptions {
  readonly target: TargetName;
  readonly seed: number;
  /** Infinite when only the time ends the run. */
  readonly scripts: number;
  readonly seconds: number | undefined;
  readonly threads: number;
  /** Calls that are made, or undefined for all. */
  readonly only: readonly string[] | undefined;
  readonly premise: string | undefined;
  readonly property: PropertyName;
  readonly cases: string;
  /** Whether saved cases are run first, and nothing else while one of them fails. */
  readonly retry: boolean;
  /** States that are searched at the most for a shorter script; undefined: none is searched for. */
  readonly proof: number | undefined;
  /** Whether the shortest script of each situation is told. */
  readonly situations: boolean;
  readonly gate: GateOptions | undefined;
  readonly json: boolean;
}

/** What the gates are told besides the run. */
export interface GateOptions {
  readonly coverage: readonly FolderCoverage[];
  /** Where the figures are written, as those of a release. */
  readonly figures: string | undefined;
}

const THREADS_MAX = 256;
const SCRIPTS_MAX = 1e12;
const PROOF_STATES_MAX = 1e9;

/** @throws {UsageError} for the first option that does not fit */
export function runOptions(raw: RawRunOptions, program: readonly string[]): RunOptions {
  const { time, threads, premise, only } = raw;
  const property = propertyOf(raw);
  const unlimited = time === undefined ? DEFAULT_SCRIPTS[property] : Number.POSITIVE_INFINITY;
  return {
    target: targetName(raw.target, program),
    seed: integer('--seed', raw.seed, 0, Number.MAX_SAFE_INTEGER),
    scripts: raw.scripts === undefined ? unlimited : integer('--scripts', raw.scripts, 0, SCRIPTS_MAX),
    seconds: time === undefined ? undefined : positive('--time', time),
    threads: threadsOf(threads),
    ...machineOptions(raw),
    only: only === undefined ? undefined : callsOf(only),
    premise: premise === undefined ? undefined : premiseOf(premise),
    property,
    cases: raw.cases,
    retry: raw.retry !== false,
    proof: proofOf(raw),
    situations: raw.situations === true,
    gate: gateOptions(raw),
    json: raw.json === true,
  };
}

/** How far a shorter script is searched for. */
export function proofOf({ states, proof }: RawProofOptions): number | undefined {
  if (proof === false && states !== undefined) throw new UsageError('--states: not together with --no-proof');
  if (proof === false) return undefined;
  return states === undefined ? CERTIFY_STATES : integer('--states', states, 1, PROOF_STATES_MAX);
}

/** A run that was narrowed says nothing of the whole, so there is nothing to hold against it. */
function gateOptions(raw: RawRunOptions): GateOptions | undefined {
  const { gate, coverage, figures, property = 'lockstep' } = raw;
  for (const [name, value] of Object.entries({ coverage, figures })) {
    if (value === undefined) continue;
    if (gate !== true) throw new UsageError(`--${name}: only with --gate`);
    if (raw.target !== 'builtin')
      throw new UsageError(`--${name}: it is about ionclad itself: only with --target builtin`);
  }
  if (gate !== true) return undefined;
  for (const name of ['only', 'machine', 'policy', 'memory', 'pages', 'premise'] as const) {
    if (raw[name] !== undefined)
      throw new UsageError(`--gate: not with --${name}: a run that is narrowed says nothing of the whole`);
  }
  if (property !== 'lockstep') throw new UsageError(`--gate: with --property lockstep, not ${property}`);
  return { coverage: coverage === undefined ? [] : readCoverage(coverage), figures };
}

/** Arguments are decided in lockstep; and a policy that a property needs must not be another. */
function propertyOf({ property: name = 'lockstep', premise, policy = [] }: RawRunOptions): PropertyName {
  const property = known('--property', name, PROPERTIES) as PropertyName;
  if (premise !== undefined && property !== 'lockstep')
    throw new UsageError(`--premise: with --property lockstep, not ${property}`);
  const needed = property === 'noninterference' ? (SPEC.isolation?.policies ?? {}) : {};
  for (const [needs, value] of Object.entries(needed)) {
    if (policy.some((text) => text.startsWith(`${needs}=`) && text !== `${needs}=${value}`))
      throw new UsageError(`--policy: ${needs}: --property ${property} is asked with ${value} alone`);
  }
  return property;
}

export interface RawVerdictOptions extends RawMachineOptions, RawProofOptions {
  readonly arguments: readonly string[];
  readonly seed: string;
  readonly scripts: string;
  readonly threads?: string;
  readonly cases: string;
  readonly exhaustive?: true;
  readonly json?: true;
}

/** @throws {UsageError} for the first option that does not fit */
export function verdictOptions(raw: RawVerdictOptions): VerdictOptions {
  const names = [...new Set(VERDICTS.map(({ argument }) => argument))];
  for (const option of ['memory', 'pages', 'machine'] as const) {
    if (raw.exhaustive === true && raw[option] !== undefined)
      throw new UsageError(`--exhaustive: not with --${option}: a scope has its machine`);
  }
  return {
    arguments:
      raw.arguments.length === 0 ? names : raw.arguments.map((name) => known('verdicts', name, names)),
    seed: integer('--seed', raw.seed, 0, Number.MAX_SAFE_INTEGER),
    scripts: integer('--scripts', raw.scripts, 1, SCRIPTS_MAX),
    threads: threadsOf(raw.threads),
    ...machineOptions(raw),
    proof: proofOf(raw),
    cases: raw.cases,
    exhaustive: raw.exhaustive === true,
    json: raw.json === true,
  };
}

export interface RawZooOptions extends RawProofOptions {
  readonly names: readonly string[];
  readonly seed: string;
  readonly seeds: string;
  readonly scripts: string;
  readonly threads?: string;
  readonly needs?: string;
  readonly cases?: string;
  readonly curve?: string;
  readonly markdown?: string;
  readonly missing?: true;
  readonly exhaustive?: true;
  readonly times?: true;
  readonly json?: true;
}

const SEEDS_MAX = 10_000;

/** @throws {UsageError} for the first option that does not fit */
export function zooOptions(raw: RawZooOptions): ZooOptions {
  const seeds = integer('--seeds', raw.seeds, 1, SEEDS_MAX);
  const first = integer('--seed', raw.seed, 0, Number.MAX_SAFE_INTEGER - seeds);
  if (raw.missing === true && raw.names.length > 0)
    throw new UsageError(`--missing: it lists what no bug re-creates, and hunts no "${raw.names[0]}"`);
  if (raw.exhaustive === true && raw.curve !== undefined)
    throw new UsageError('--exhaustive: not with --curve: nothing is drawn');
  return {
    bugs: bugsOf(raw),
    seeds: Array.from({ length: seeds }, (_, at) => first + at),
    scripts: integer('--scripts', raw.scripts, 1, SCRIPTS_MAX),
    threads: threadsOf(raw.threads),
    cases: raw.cases,
    curve: raw.curve,
    markdown: raw.markdown,
    missing: raw.missing === true,
    proof: proofOf(raw),
    exhaustive: raw.exhaustive === true,
    times: raw.times === true,
    json: raw.json === true,
  };
}

/** By layer. Layers stand for all of their bugs; a bug is named as it is, or as its target is. */
function bugsOf({ names, needs }: RawZooOptions): Bug[] {
  const layers = [...new Set(ZOO.map(({ layer }) => layer))];
  const words = [...layers, ...ZOO.map(({ name }) => name)];
  const wanted = new Set(names.map((name) => known('zoo', name.replace(/^zoo\//, ''), words)));
  const all = [...new Set(ZOO.flatMap((bug) => bug.needs))];
  const need = needs === undefined ? undefined : known('--needs', needs.replaceAll('-', ' '), all);
  const isWanted = ({ name, layer, needs: own }: Bug): boolean =>
    (wanted.size === 0 || wanted.has(name) || wanted.has(layer)) &&
    (need === undefined || own.some((each) => each === need));
  return layers.flatMap((layer) => ZOO.filter((bug) => bug.layer === layer && isWanted(bug)));
}

export const premiseOf = (name: string): string =>
  known(
    '--premise',
    name,
    SPEC.premises.map((each) => each.name),
  );

export const threadsOf = (threads: string | undefined): number =>
  threads === undefined ? availableParallelism() : integer('--threads', threads, 1, THREADS_MAX);

/** Layers stand for all of their calls. */
export function callsOf(names: readonly string[]): string[] {
  const calls = Object.entries(SPEC.calls);
  const layers = new Set(calls.map(([, { layer }]) => layer));
  const wanted = new Set(names.map((name) => known('--only', name, [...layers, ...calls.map(([op]) => op)])));
  return calls.filter(([op, { layer }]) => wanted.has(op) || wanted.has(layer)).map(([op]) => op);
}

/**
 * The machine of `--memory`, `--pages`, `--machine` and `--policy`: what is named goes before what is read.
 *
 * @throws {UsageError} for the first that does not fit, or when no machine has all of it
 */
export function machineOptions(raw: RawMachineOptions): MachineOptions {
  const pages = raw.pages === undefined ? undefined : pagesOption(raw.pages);
  const fields = namedMachine(raw.machine ?? [], raw.policy ?? []);
  if ('pages' in fields && (pages !== undefined || raw.memory !== undefined))
    throw new UsageError('--machine: pages: with --memory or --pages it is --pages that says how many');
  const memory = raw.memory === undefined ? undefined : readMemory(raw.memory, pages);
  const named = pages === undefined || memory !== undefined ? fields : { pages, ...fields };
  const machine = { ...memory?.machine, ...named };
  checkDrawable(machine);
  return { machine, named, memory };
}

function namedMachine(fields: readonly string[], policies: readonly string[]): ScriptMachine {
  const numbers = fields.map((text): [string, number] => {
    const [name, value] = pair('--machine', text, Object.keys(SPEC.fields));
    const field = SPEC.fields[name];
    return [name, integer(`--machine: ${name}`, value, field?.from ?? 0, field?.to ?? 0)];
  });
  const choices = policies.map((text): [string, string] => {
    const [name, value] = pair('--policy', text, Object.keys(SPEC.policies));
    return [name, known(`--policy: ${name}`, value, SPEC.policies[name]?.values ?? [])];
  });
  const machine = Object.fromEntries<unknown>(numbers);
  return choices.length === 0 ? machine : { ...machine, policies: Object.fromEntries(choices) };
}

function pair(option: string, text: string, names: readonly string[]): [name: string, value: string] {
  const [name = '', value, ...rest] = text.split('=');
  if (value === undefined || value === '' || rest.length > 0)
    throw new UsageError(`${option}: expected NAME=VALUE, got "${text}"${nearName(name, names)}`);
  return [known(option, name, names), value];
}

function nearName(name: string, names: readonly string[]): string {
  const [near] = nearest(name, names);
  return near === undefined ? '' : ` (such as ${near}=VALUE)`;
}

/** A machine with all else at its default must be possible: it is taken where none that is drawn is. */
function checkDrawable(fixed: ScriptMachine): void {
  try {
    machineOf(SPEC, fixed);
  } catch (cause) {
    if (!(cause instanceof ScriptError)) throw cause;
    throw new UsageError(`--machine: no machine fits: ${cause.message}`);
  }
}
