/** What a thread does: of `run`, it opens the target itself, draws the scripts of its chunk, and runs them. */
import workerpool from 'workerpool';
import { type Machine, SPEC, type Target } from '../model/index.ts';
import {
  type Audited,
  Auditor,
  believed,
  CHUNK_SCRIPTS,
  type ChunkResult,
  exploreSpec,
  type Finding,
  type Found,
  hiding,
  isSameFinding,
  isSmaller,
  type Measure,
  measure,
  Recorder,
  runChunk,
  runRepeatedly,
  type Scope,
  type Script,
  type ScriptMachine,
  Scripts,
  type Shrunk,
  type SpecExplored,
  shortest,
  shortestWith,
  shrink,
  type Tested,
  type Trial,
  testsOf,
  trialOf,
} from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { bugOf } from '../targets/zoo/index.ts';
import { type Cost, costOf, largestBuffer } from './costs.ts';
import { UsageError } from './exit.ts';
import type { TestsTask } from './explore-tests.ts';
import { type Hunted, hunt, shrinkHunted } from './hunt.ts';
import type { RunOptions } from './options.ts';
import { planFor } from './plan.ts';
import { huntInScopes, type ScopeHunt } from './scope-hunt.ts';
import { type Spent, Stopwatch } from './speed.ts';
import { isForeign, openTarget, type TargetName } from './targets.ts';

/** Plain data: it crosses from one thread to another. */
export type Task = Pick<
  RunOptions,
  'target' | 'seed' | 'machine' | 'only' | 'premise' | 'property' | 'scripts' | 'proof'
>;

export interface Costs {
  readonly cost?: Cost | undefined;
  readonly largest?: number | undefined;
}

export interface HuntedBug {
  readonly hunted: Hunted;
  readonly shrunk?: Shrunk;
  /** Time until the finding, or until all scripts were run. */
  readonly ms: number;
}

const WATCH = new Stopwatch();
const opened = new Map<string, Promise<Target<Machine>>>();

async function localTarget(target: TargetName): Promise<Target<Machine>> {
  const known = opened.get(target.name);
  if (known !== undefined) return known;
  const opening = openTarget(target).then((each) => {
    if (each.is === 'remote') throw new Error('internal error: a process is not shared by threads');
    return isForeign(target.name) ? WATCH.local(each.target) : each.target;
  });
  opened.set(target.name, opening);
  return opening;
}

/** Milliseconds between two messages of how far a chunk is. */
const TELL_MS = 250;

/** Runs the scripts of one chunk. */
export async function chunk(task: Task, index: number): Promise<ChunkResult & { readonly spent: Spent }> {
  const target = await localTarget(task.target);
  const { seed, premise, property, scripts } = task;
  const campaign = {
    spec: SPEC,
    target,
    seed,
    property,
    plan: planFor(task, target),
    ...(premise === undefined ? {} : { premise }),
  };
  let next = performance.now() + TELL_MS;
  const result = runChunk(campaign, index, scripts, (counts) => {
    if (performance.now() < next) return;
    next = performance.now() + TELL_MS;
    workerpool.workerEmit({ scripts: counts.scripts, commands: counts.commands });
  });
  return { ...result, spent: WATCH.take() };
}

/** What shrinking has come to so far. */
export type Smaller = Pick<Found, 'script' | 'finding'>;

/** Makes what was found smaller. In a thread too, so that Ctrl-C is heard meanwhile. */
export async function smaller(task: Task, { script, finding }: Found): Promise<Shrunk> {
  const target = await localTarget(task.target);
  const recorder = new Recorder(SPEC, target);
  const repeatedly = (candidate: Script): Finding | undefined => runRepeatedly(recorder, target, candidate);
  if (finding.kind === 'flaky')
    return proven(task, target, shrinkFlaky(script, finding, repeatedly), repeatedly);
  const { again } = trialOf(task.property, SPEC, target, task.premise);
  const told = telling(finding, again);
  const shrunk = proven(task, target, shrink(SPEC, script, finding, told), told);
  // A target that seldom goes wrong may have done so at every candidate that was taken.
  const shown = repeatedly(shrunk.script) ?? believed(SPEC, target, shrunk.script, shrunk.finding, again);
  const { certificate: _, ...bare } = shrunk;
  return isSameFinding(shown, finding) ? { ...shrunk, finding: shown } : { ...bare, finding: shown };
}

/** The same, or what is shorter still, and whether that is the shortest. */
function proven(
  { property, premise, proof }: Pick<Task, 'property' | 'premise' | 'proof'>,
  target: Target<Machine>,
  shrunk: Shrunk,
  again: Trial['again'],
): Shrunk {
  if (proof === undefined) return shrunk;
  const asked = { property, ...(premise === undefined ? {} : { premise }) };
  return shortest(SPEC, target, asked, shrunk, again, proof);
}

/** Of a script that was shrunk elsewhere. */
export async function certified(
  task: Pick<Task, 'target' | 'property' | 'premise' | 'proof'>,
  shrunk: Shrunk,
): Promise<Shrunk> {
  const target = await localTarget(task.target);
  return proven(task, target, shrunk, trialOf(task.property, SPEC, target, task.premise).again);
}

/** What shows itself too seldom cannot be made smaller. */
function shrinkFlaky(script: Script, finding: Finding, again: Trial['again']): Shrunk {
  const shown = again(script);
  if (shown === undefined || !isSameFinding(shown, finding)) return { script, finding, executions: 1 };
  return shrink(SPEC, script, finding, telling(finding, again));
}

/** Runs candidates, and tells now and then which was the smallest that showed the finding. */
function telling(finding: Finding, again: Trial['again']): Trial['again'] {
  let best: { readonly size: Measure; readonly found: Smaller } | undefined;
  let next = performance.now() + TELL_MS;
  return (script) => {
    const shown = again(script);
    if (shown === undefined || !isSameFinding(shown, finding)) return shown;
    const size = measure(script, SPEC);
    if (best === undefined || isSmaller(size, best.size)) best = { size, found: { script, finding: shown } };
    if (performance.now() >= next) {
      next = performance.now() + TELL_MS;
      workerpool.workerEmit(best.found);
    }
    return shown;
  };
}

/** What one script shows. */
export async function find(
  { target, property, premise }: Pick<Task, 'target' | 'property' | 'premise'>,
  script: Script,
): Promise<Finding | undefined> {
  return trialOf(property, SPEC, await localTarget(target), premise).again(script);
}

/** The shortest script that meets a situation. */
export async function situation(task: Task, name: string, script: Script): Promise<Script> {
  return shortestWith(SPEC, await localTarget(task.target), name, script);
}

/** What a choice costs. The largest buffer of a large machine takes many boots. */
export function costs(machine: ScriptMachine, withLargest: boolean): Costs {
  return { cost: costOf(machine), largest: withLargest ? largestBuffer(machine) : undefined };
}

/** Hunts a bug of the zoo with one seed; what is found is made smaller where that is asked for. */
export function hunted(name: string, seed: number, scripts: number, shrinks: boolean): HuntedBug {
  const bug = bugOf(`zoo/${name}`);
  if (bug === undefined) throw new Error(`internal error: the zoo has no ${name}`);
  const start = performance.now();
  const result = hunt(bug, seed, scripts);
  const ms = performance.now() - start;
  if (result.found === undefined || !shrinks) return { hunted: result, ms };
  return { hunted: result, ms, shrunk: shrinkHunted(bug, result.found) };
}

/** Of so many scripts one is audited by its replies alone too. */
const HIDDEN_EVERY = 4;

/** Audits the specification by the scripts of one chunk, those below `scripts` in all. */
export function audited(known: Audited, seed: number, chunk: number, scripts: number): Audited {
  const shown = new Auditor(SPEC, builtin(), known);
  const hidden = new Auditor(SPEC, hiding(builtin()), known);
  const source = new Scripts(SPEC, seed);
  const end = Math.min((chunk + 1) * CHUNK_SCRIPTS, scripts);
  for (let index = chunk * CHUNK_SCRIPTS; index < end; index++) {
    const script = source.at(index);
    shown.run(script);
    if (index % HIDDEN_EVERY === 0) hidden.run(script);
  }
  return known;
}

/** Searches a specification alone. */
export const exploredSpec = (scope: Scope): SpecExplored => exploreSpec(SPEC, scope);

/** Looks for a bug of the zoo in scopes. */
export function huntedInScopes(name: string, known?: Script): ScopeHunt {
  const bug = bugOf(`zoo/${name}`);
  if (bug === undefined) throw new Error(`internal error: the zoo has no ${name}`);
  return huntInScopes(bug, known);
}
/** Searches a scope for scripts that cover it. */
export async function tested({ target, scope, detail, length }: TestsTask): Promise<Tested> {
  return testsOf(SPEC, await undoableTarget(target), scope, { detail, length });
}

async function undoableTarget(target: TargetName): Promise<Target<Machine>> {
  const opened = await localTarget(target);
  if (opened.undoable === undefined)
    throw new UsageError(`--target: ${target.name} cannot go back to an earlier state: it has no undoable`);
  return opened;
}

workerpool.worker({
  huntedInScopes,
  exploredSpec,
  tested,
  chunk,
  smaller,
  certified,
  find,
  situation,
  costs,
  hunted,
  audited,
});
