/** What is measured: the same scripts for every contender, made once. */
import { type Call, type Machine, type Reply, SPEC, type View } from '../model/index.ts';
import { runScript, type Script, Scripts, Stepper } from '../properties/index.ts';
import { machineOf } from '../properties/machine.ts';
import { type Builtin, builtin } from '../targets/builtin.ts';

/** The calls that a script made, with their answers: what remains when references are resolved. */
export interface Recording {
  readonly machine: Machine;
  readonly calls: readonly { readonly call: Call; readonly reply: Reply }[];
}

export interface Workload {
  readonly seed: number;
  readonly scripts: readonly Script[];
  readonly recordings: readonly Recording[];
  /** Calls of all recordings, those that give everything back included. */
  readonly calls: number;
}

/**
 * Scripts on machines of 64 pages, correct target, faults included.
 *
 * @throws Error when a call of the specification never succeeds in them: the figures would be of the rest
 */
export function makeWorkload(seed: number, count: number): Workload {
  const source = new Scripts(SPEC, seed, { machine: { pages: 64 } });
  const scripts = Array.from({ length: count }, (_, index) => source.at(index));
  const recordings = scripts.map(record);
  const missing = unmade(recordings);
  if (missing.length > 0) throw new Error(`never made with success: ${missing.join(', ')}`);
  return { seed, scripts, recordings, calls: recordings.reduce((sum, { calls }) => sum + calls.length, 0) };
}

/** Calls that never succeed in these recordings. */
function unmade(recordings: readonly Recording[]): readonly string[] {
  const made = recordings.flatMap(({ calls }) => calls.filter(({ reply }) => 'ok' in reply));
  const names = new Set<string>(made.map(({ call }) => call.op));
  return Object.keys(SPEC.calls).filter((name) => !names.has(name));
}

function record(script: Script): Recording {
  const calls: { call: Call; reply: Reply }[] = [];
  const target = builtin();
  const apply = target.apply.bind(target);
  target.apply = (call) => {
    const reply = apply(call);
    calls.push({ call, reply });
    return reply;
  };
  const finding = runScript(new Stepper(SPEC, target), target, script);
  if (finding !== undefined) throw new Error(`the built-in target is wrong: ${finding.detail}`);
  return { machine: machineOf(SPEC, script.machine), calls };
}

/** Makes the recorded calls on the implementation alone, and lets it show itself if there is where. */
export function applyAll(
  target: Builtin,
  { recordings, calls: count }: Workload,
  views?: ReadonlyMap<Machine, View>,
): number {
  for (const { machine, calls } of recordings) {
    const view = views?.get(machine);
    target.boot(machine);
    for (const { call } of calls) {
      target.apply(call);
      if (view !== undefined) target.observe(view);
    }
  }
  return count;
}
