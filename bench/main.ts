/**
 * `npm run bench`: what lockstep costs, and where. All contenders run in turn, several rounds in one process, on CPU
 * time; a figure is the median over the rounds, and what counts is the ratio beside it.
 */
import { type Machine, SPEC, type Target, type View } from '../model/index.ts';
import { explore, runScript, Scripts, Stepper } from '../properties/index.ts';
import { Judgement, Lockstep } from '../properties/lockstep.ts';
import { firstRows, noCounts } from '../properties/tally.ts';
import { builtin } from '../targets/builtin.ts';
import { runTrivial } from './trivial.ts';
import { applyAll, makeWorkload, type Workload } from './workload.ts';

const SEED = 7;
const SCRIPTS = 1500;
const ROUNDS = 7;
/** Rounds that only warm the compiler up. */
const WARM_UP = 2;

/** Something that is timed: it returns how many units of work it did. */
interface Contender {
  readonly name: string;
  readonly unit: string;
  run(): number;
}

const SCOPE = {
  machine: {
    pages: 8,
    orderMax: 2,
    vmallocPages: 2,
    ioBits: 8,
    iotlbEntries: 1,
    contexts: 2,
    clients: 2,
    handles: 1,
    jobs: 1,
  },
  only: ['ion_client_create', 'ion_alloc', 'ion_free', 'gpu_context_create', 'gpu_bind', 'gpu_unbind'],
  depth: 100,
  states: 3000,
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
      name: 'search: transitions in lockstep, undone',
      unit: 'transitions',
      run: () => explore(SPEC, builtin(), SCOPE).transitions,
    },
  ];
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

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function main(): void {
  const workload = makeWorkload(SEED, SCRIPTS);
  const list = contenders(workload);
  const rates = list.map((): number[] => []);
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [at, contender] of list.entries()) {
      const measured = rate(contender);
      if (round >= WARM_UP) rates[at]?.push(measured);
    }
  }
  console.log(
    `${SCRIPTS} scripts, ${workload.calls} commands, 64 pages, seed ${SEED}; median of ${ROUNDS} rounds, CPU time`,
  );
  const first = median(rates[0] ?? []);
  for (const [at, { name, unit }] of list.entries()) {
    const thousands = median(rates[at] ?? []);
    const figure = `${thousands.toFixed(0).padStart(7)} k ${unit}/s`.padEnd(26);
    console.log(`${figure} ${(thousands / first).toFixed(2).padStart(6)} x  ${name}`);
  }
}

main();
