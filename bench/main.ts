/**
 * `npm run bench`: what lockstep costs, and where. Contenders run in turn, each in a process of its own, so
 * that none is compiled with another's types in mind, on CPU time. A figure is the best round of all passes:
 * whatever else the machine does only makes rounds slower. What counts is the ratio beside it. Then our own
 * implementation beside the same algorithms in C; `npm run bench -- native` prints only that, `-- shrink` how
 * short failures get, `-- explore` what exhaustive search costs, `-- trace` what checking a recorded trace does.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Machine, SPEC, type Target, type View } from '../model/index.ts';
import { explore, runScript, Scripts, Stepper } from '../properties/index.ts';
import { Judgement, Lockstep } from '../properties/lockstep.ts';
import { firstRows, noCounts } from '../properties/tally.ts';
import { builtin } from '../targets/builtin.ts';
import { reportExplore } from './explore/report.ts';
import { reportNative } from './native/report.ts';
import { reportShrink, reportZoo } from './shrink/report.ts';
import { reportTraces } from './traces/report.ts';
import { runTrivial } from './trivial.ts';
import { applyAll, makeWorkload, type Workload } from './workload.ts';

const SEED = 7;
const SCRIPTS = 1000;
/** Rounds of a contender in one process; the first ones warm the compiler up. */
const ROUNDS = 10;
const PASSES = 3;

/** Something that is timed: it returns how many units of work it did. */
interface Contender {
  readonly name: string;
  readonly unit: string;
  run(): number;
}

/** A search that comes to an end: a few thousand states, most calls of which are refused. */
const SCOPE = {
  machine: {
    pages: 4,
    orderMax: 1,
    vmallocPages: 2,
    ioBits: 8,
    iotlbEntries: 1,
    contexts: 1,
    clients: 1,
    handles: 1,
    jobs: 1,
    parked: 0,
    policies: { coherent: 'yes' },
  },
  only: ['ion_client_create', 'ion_alloc', 'ion_free', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
  depth: 100,
};

type Lockstepper = Stepper<Machine, ReturnType<typeof SPEC.boot>>;

function contenders(workload: Workload): Contender[] {
  const { scripts } = workload;
  const views = viewsOf(workload);
  const plain = builtin();
  const journalled = builtin();
  const pair = builtin();
  const stepper = new Stepper(SPEC, pair);
  const shy = builtin();
  shy.observe = () => {};
  const blind = new Stepper(SPEC, shy);
  const judging = specification(workload);
  return [
    {
      name: 'lockstep: both, views and invariants after every command',
      unit: 'commands',
      run: () => runAll(stepper, pair, workload),
    },
    {
      name: 'lockstep with a target that shows nothing: replies alone are judged',
      unit: 'commands',
      run: () => runAll(blind, shy, workload),
    },
    {
      name: 'scripts read: references resolved to slots, machines reset',
      unit: 'commands',
      run: () => readAll(stepper, workload),
    },
    { name: 'specification alone: rules and effects', unit: 'commands', run: judging },
    {
      name: 'implementation alone',
      unit: 'commands',
      run: () => applyAll(plain, workload),
    },
    {
      name: 'implementation alone, shown after every call',
      unit: 'commands',
      run: () => applyAll(plain, workload, views),
    },
    {
      name: 'implementation alone, journal attached',
      unit: 'commands',
      run() {
        journalled.undoable.attach();
        return applyAll(journalled, workload);
      },
    },
    { name: 'generation alone', unit: 'commands', run: () => generate(scripts.length) },
    {
      name: 'fast-check: fc.commands and fc.modelRun, trivial commands',
      unit: 'commands',
      run: () => runTrivial(SEED, 400),
    },
    {
      name: 'search: transitions in lockstep, undone, until no new state is left',
      unit: 'transitions',
      run: search,
    },
  ];
}

/** Returns the transitions of a whole search. */
function search(): number {
  const { ending, transitions } = explore(SPEC, builtin(), SCOPE);
  if (ending !== 'complete') throw new Error('the search was given up');
  return transitions;
}

/** Somewhere to show each machine. */
const viewsOf = ({ recordings }: Workload): Map<Machine, View> =>
  new Map(
    recordings.map(({ machine }) => {
      const columns = SPEC.view.map(({ length }) => new Int32Array(length(machine)));
      return [machine, { columns, shown: 0, touched: 0 }];
    }),
  );

/** Runs every script in lockstep. Returns the commands made. */
function runAll(stepper: Lockstepper, target: Target<Machine>, { scripts }: Workload): number {
  const before = stepper.counts.commands;
  for (const script of scripts) runScript(stepper, target, script);
  return stepper.counts.commands - before;
}

/** Does what comes before the first call of a script. Returns the commands that would be made. */
function readAll(stepper: Lockstepper, { scripts, calls }: Workload): number {
  for (const script of scripts) stepper.begin(script);
  return calls;
}

/** Judges recorded answers, without a target and without views. */
function specification({ recordings, calls }: Workload): () => number {
  const judgement = new Judgement(SPEC, builtin().capabilities, noCounts(firstRows(SPEC).rows));
  const worlds = new Map(recordings.map(({ machine }) => [machine, new Lockstep(judgement, machine)]));
  // Nothing is shown here, and rows that ask for it then allow any ENOMEM: every answer is accepted.
  return () => {
    for (const { machine, calls: made } of recordings) {
      const lockstep = worlds.get(machine) as Lockstep<typeof machine, ReturnType<typeof SPEC.boot>>;
      lockstep.reset();
      for (const [at, { call, reply }] of made.entries()) {
        if (lockstep.judge(at, call, reply) !== undefined) throw new Error(`${call.op} was not accepted`);
      }
    }
    return calls;
  };
}

function generate(count: number): number {
  const source = new Scripts(SPEC, SEED, { machine: { pages: 64 } });
  let commands = 0;
  for (let index = 0; index < count; index++) commands += source.at(index).commands.length;
  return commands;
}

/** Thousands of units for each second of CPU time. */
function rate(contender: Contender): number {
  const before = process.cpuUsage();
  const units = contender.run();
  const { user, system } = process.cpuUsage(before);
  return (units / (user + system)) * 1000;
}

/** What one contender says of itself, on one line. */
interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly thousands: number;
  /** Commands of the workload. */
  readonly commands: number;
}

/** The best round of one contender in this process. */
function measure(number: number): Measured | undefined {
  const workload = makeWorkload(SEED, SCRIPTS);
  const contender = contenders(workload)[number];
  if (contender === undefined) return undefined;
  const rates = Array.from({ length: ROUNDS }, () => rate(contender));
  const { name, unit } = contender;
  return { name, unit, thousands: Math.max(...rates), commands: workload.calls };
}

/** The same in a process of its own; undefined when there is no such contender. */
function measureApart(number: number): Measured | undefined {
  const self = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(process.execPath, [self, String(number)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout === '' ? undefined : (JSON.parse(stdout) as Measured);
}

function main(): void {
  const best: Measured[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    for (let number = 0; pass === 0 || number < best.length; number++) {
      const measured = measureApart(number);
      if (measured === undefined) break;
      const known = best[number];
      if (known === undefined || known.thousands < measured.thousands) best[number] = measured;
    }
  }
  const [first] = best;
  const calls = `${Object.keys(SPEC.calls).length} calls`;
  const commands = `${SCRIPTS} scripts of all ${calls}, ${first?.commands} commands, 64 pages, seed ${SEED}`;
  console.log(`${commands}; best of ${PASSES} x ${ROUNDS} rounds, CPU time`);
  for (const { name, unit, thousands } of best) {
    const figure = `${thousands.toFixed(0).padStart(7)} k ${unit}/s`.padEnd(26);
    console.log(`${figure} ${(thousands / (first?.thousands ?? 1)).toFixed(2).padStart(6)} x  ${name}`);
  }
}

const [, , only, ...numbers] = process.argv;
const [seeds, compared] = numbers.map(Number);
if (only === undefined) main();
if (only === undefined || only === 'native') reportNative(console.log);
else if (only === 'explore') reportExplore(console.log);
else if (only === 'trace') reportTraces(console.log);
else if (only === 'shrink') reportShrink(console.log, seeds, compared);
else if (only === 'shrink-zoo') reportZoo(console.log, seeds);
else {
  const measured = measure(Number(only));
  if (measured !== undefined) process.stdout.write(JSON.stringify(measured));
}
