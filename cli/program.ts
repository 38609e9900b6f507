/** The commands, their options and their help. */
import { Command } from 'commander';
import { DETAILS } from '../properties/explore/abstraction.ts';
import { CERTIFY_STATES } from '../properties/explore/scope.ts';
import type { TraceCommandOptions } from './check-trace.ts';
import { TRACE_HELP } from './check-trace-help.ts';
import { DEFAULT_SCRIPTS, DEFAULT_SEED, HUNT_SCRIPTS, TEST_COMMANDS, VERDICT_SCRIPTS } from './defaults.ts';
import { EXIT, EXIT_HELP, type ExitCode, UsageError } from './exit.ts';
import type { RawExploreOptions } from './explore-options.ts';
import type { RawRunOptions, RawVerdictOptions, RawZooOptions } from './options.ts';
import type { ReplayOptions } from './replay.ts';
import type { Session } from './session.ts';
import type { ShrinkOptions } from './shrink.ts';
import { version } from './version.ts';

/** Parses a command line and runs what it names. What stands behind `--` is the program of a process target. */
export async function commands(args: readonly string[], session: Session): Promise<ExitCode> {
  let code: ExitCode = EXIT.USAGE;
  const dashes = args.includes('--') ? args.indexOf('--') : args.length;
  const words = args.slice(dashes + 1);
  const program = root(session);
  // Each command loads its own code: all of it takes longer to load than most commands run.
  addRun(program, async (options) => {
    const [{ runCommand }, { runOptions }] = await Promise.all([import('./run.ts'), import('./options.ts')]);
    code = await runCommand(runOptions(options, words), session);
  });
  addVerdicts(program, async (options) => {
    const [{ verdictsCommand }, { verdictOptions }] = await Promise.all([
      import('./verdicts.ts'),
      import('./options.ts'),
    ]);
    const asked = { ...options, arguments: [...options.arguments, ...words] };
    code = await verdictsCommand(verdictOptions(asked), session);
  });
  addZoo(program, async (options) => {
    const [{ zooCommand }, { zooOptions }] = await Promise.all([import('./zoo.ts'), import('./options.ts')]);
    code = await zooCommand(zooOptions({ ...options, names: [...options.names, ...words] }), session);
  });
  addReplay(program, async (files, options) => {
    const { replayCommand } = await import('./replay.ts');
    code = await replayCommand(files, options, words, session);
  });
  addShrink(program, async (files, options) => {
    const { shrinkCommand } = await import('./shrink.ts');
    code = await shrinkCommand(files, options, words, session);
  });
  addCheckTrace(program, async (files, options) => {
    const { checkTraceCommand } = await import('./check-trace.ts');
    code = await checkTraceCommand(files, options, session);
  });
  addExplore(program, async (options) => {
    const { exploringCommand } = await import('./exploring.ts');
    code = await exploringCommand(options, words, session);
  });
  addLists(program, async (name, json) => {
    if (words.length > 0) throw new UsageError(`"${words[0]}": this command takes no arguments`);
    const { LISTS } = await import('./lists.ts');
    code = LISTS[name](json, session.io);
  });
  await program.parseAsync(args.slice(0, dashes), { from: 'user' });
  return code;
}

function root({ io }: Session): Command {
  return new Command('ionclad')
    .description('Finds out whether code that manages memory for DMA keeps its promises.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      outputError: (text, write) =>
        write(
          `ionclad: ${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\s+/g, ' ')}`,
        ),
    })
    .addHelpText('after', EXIT_HELP);
}

const MEMORY_HELP =
  'memory as fragmented as a real kernel’s: a file with its /proc/buddyinfo, /proc/pagetypeinfo and ' +
  '/proc/zoneinfo one after the other, or "live" for this host’s';
const PAGES_HELP = 'pages of every machine; with --memory, to how many that is scaled (default: all of them)';

const TARGET_HELP = 'builtin, zoo/BUG, module:PATH, or process:COMMAND (also: --target process -- COMMAND)';

const PROPERTY_HELP =
  'lockstep: every answer and view goes with the specification; noninterference: a client is told the same with and ' +
  'without the others; fault: a call that fails by an injected fault has changed nothing';

const GATE_HELP =
  'end with 5 if the run saw too little: calls, errnos, rows, situations; on builtin also the zoo, near misses and ' +
  'mutants of the specification';

function addRun(program: Command, act: (options: RawRunOptions) => Promise<void>): void {
  program
    .command('run')
    .description('run generated scripts against a target, in lockstep with the specification or in pairs')
    .option('--target <name>', TARGET_HELP, 'builtin')
    .option('--seed <n>', 'which scripts are drawn', String(DEFAULT_SEED))
    .option(
      '--scripts <n>',
      `how many (default: ${DEFAULT_SCRIPTS.lockstep} in lockstep; without end with --time)`,
    )
    .option('--time <seconds>', 'hand out scripts for so long; only how many is decided by it')
    .option('--threads <n>', 'threads; the result does not depend on them (default: one for each core)')
    .option('--memory <file>', MEMORY_HELP)
    .option('--pages <n>', PAGES_HELP)
    .option('--machine <fields>', 'numbers that every machine has, such as pages=8,orderMax=2', collect)
    .option('--policy <choices>', 'policies that every machine has, such as contexts=shared', collect)
    .option('--only <names>', 'calls or layers that are used, such as ion,gpu,device_read', collect)
    .option('--premise <name>', 'only findings that decide this argument count, such as T1')
    .option('--property <name>', PROPERTY_HELP, 'lockstep')
    .option('--cases <folder>', 'where cases are saved, and found again by the next run', 'ionclad-cases')
    .option('--no-retry', 'draw scripts though a case that was saved earlier still fails')
    .option('--states <n>', STATES_HELP)
    .option('--no-proof', 'do not search for a shorter script than shrinking ends with')
    .option('--situations', 'also print the shortest script of every situation that was met')
    .option('--gate', GATE_HELP)
    .option(
      '--coverage <file>',
      'with --gate: hold the coverage by folder against its gates too, from this summary',
    )
    .option('--figures <file>', 'with --gate: write the figures to this file, as those of a release')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `\nExample:\n  ionclad run --target zoo/stale-iotlb --scripts 10000\n${EXIT_HELP}`)
    .action(act);
}

const STATES_HELP = `search for a shorter script in so many states at the most (default: ${CERTIFY_STATES})`;

const VERDICTS_HELP = `
Example:
  ionclad verdicts T4 T7 --memory live --pages 4096

A choice that is broken is a result: it ends with 0 too.
`;

function addVerdicts(program: Command, act: (options: RawVerdictOptions) => Promise<void>): void {
  program
    .command('verdicts [argument...]')
    .description(
      'decide the arguments of the 2012 review, each choice by its own scripts: T1 to T7, zeroing, strict',
    )
    .option('--seed <n>', 'which scripts are drawn', String(DEFAULT_SEED))
    .option('--scripts <n>', 'how many for each choice', String(VERDICT_SCRIPTS))
    .option('--threads <n>', 'threads; the result does not depend on them (default: one for each core)')
    .option('--memory <file>', MEMORY_HELP)
    .option('--pages <n>', PAGES_HELP)
    .option('--machine <fields>', 'numbers that every machine has, such as pages=8,orderMax=2', collect)
    .option('--cases <folder>', 'where the shortest case of each broken choice is saved', 'ionclad-cases')
    .option('--states <n>', STATES_HELP)
    .option('--no-proof', 'do not search for a shorter script than shrinking ends with')
    .option('--exhaustive', 'draw nothing: decide each choice by every script of a scope (ionclad explore)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${VERDICTS_HELP}${EXIT_HELP}`)
    .action((names: readonly string[], options: Omit<RawVerdictOptions, 'arguments'>) =>
      act({ ...options, arguments: names }),
    );
}

const ZOO_HELP = `
Examples:
  ionclad zoo --seeds 20
  ionclad zoo iommu late-reference --times

It ends with 0 when every seed found every bug, and mostly the bug's own invariant fired first; else with 5.
With --exhaustive it ends with 0 when every bug is found that there is no reason not to find.
`;

function addZoo(program: Command, act: (options: RawZooOptions) => Promise<void>): void {
  program
    .command('zoo [bug-or-layer...]')
    .description('hunt the known bugs: how many commands each takes to be found, and how short it gets')
    .option('--seeds <n>', 'hunts for each bug, each with the next seed', '1')
    .option('--seed <n>', 'the first of them', String(DEFAULT_SEED))
    .option('--scripts <n>', 'how many in one hunt at most', String(HUNT_SCRIPTS))
    .option('--threads <n>', 'threads; the result does not depend on them (default: one for each core)')
    .option('--needs <what>', 'only bugs that need a fault, fragmentation, or second-actor')
    .option('--cases <folder>', 'keep the shortest case of each bug there')
    .option('--states <n>', STATES_HELP)
    .option('--no-proof', 'do not search for a shorter script than shrinking ends with')
    .option('--curve <file>', 'draw bugs found against commands run, as SVG')
    .option('--markdown <file>', 'write the table as a page, with the curve where that is drawn too')
    .option(
      '--missing',
      'hunt nothing: list the historic bugs that are not re-created yet, by what that takes',
    )
    .option('--exhaustive', 'draw nothing: look for each bug in scopes (ionclad explore --list)')
    .option('--times', 'with the time until the first failure, which depends on the machine')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${ZOO_HELP}${EXIT_HELP}`)
    .action((names: readonly string[], options: Omit<RawZooOptions, 'names'>) => act({ ...options, names }));
}

function addReplay(
  program: Command,
  act: (files: readonly string[], options: ReplayOptions) => Promise<void>,
): void {
  program
    .command('replay <file...>')
    .description('run saved cases or scripts again')
    .option('--target <name>', `${TARGET_HELP} (default: where the case was found)`)
    .option('--trace', 'print every call, its reply, and what it changed')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `\nExample:\n  ionclad replay --trace found.case.json\n${EXIT_HELP}`)
    .action(act);
}

const SHRINK_HELP = `
Example:
  ionclad shrink found.case.json

The smaller case is written beside the file, as found.shrunk.case.json.
`;

function addShrink(
  program: Command,
  act: (files: readonly string[], options: ShrinkOptions) => Promise<void>,
): void {
  program
    .command('shrink <file...>')
    .description('make cases or scripts that show a finding as small as they go')
    .option('--target <name>', `${TARGET_HELP} (default: where the case was found)`)
    .option('--out <file>', 'where the smaller case is written')
    .option('--in-place', 'write it over the file itself')
    .option('--states <n>', STATES_HELP)
    .option('--no-proof', 'do not search for a shorter script than shrinking ends with')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${SHRINK_HELP}${EXIT_HELP}`)
    .action(act);
}

function addCheckTrace(
  program: Command,
  act: (files: readonly string[], options: TraceCommandOptions) => Promise<void>,
): void {
  program
    .command('check-trace <file...>')
    .description('hold recorded traces of real kernels against the specification')
    .option('--strict', 'an unmap returns only after the IOTLB forgot (default: inferred)')
    .option('--lazy', 'the IOTLB forgets some time after the unmap')
    .option('--html <file>', 'write a page with a timeline, to be opened in a browser')
    .option('--script <file>', 'write the surest finding, or the beginning where there is none, as a case')
    .option('--finding <n>', 'with --script: this finding, counted from 1')
    .option('--events <n>', 'with --script: the first so many events, whatever was found')
    .option('--markdown <file>', 'write the report for a mail or an issue')
    .option('--sarif <file>', 'write the findings in SARIF 2.1.0, for code scanning')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${TRACE_HELP}${EXIT_HELP}`)
    .action(act);
}

const EXPLORE_HELP = `
Examples:
  ionclad explore                                       every scope that takes seconds
  ionclad explore --scope gpu --target zoo/freed-while-bound
  ionclad explore --only pages --machine pages=4,orderMax=2 --few 3 --depth 6
  ionclad explore --spec --scope iommu                  what any implementation may reply
  ionclad explore --step found.case.json                call by call, forth and back; ? helps
  ionclad explore --tests scripts --scope pages         few scripts that cover all that can happen

A state is visited once, and every call that it allows is made. What is found first has the fewest commands.
`;

function addExplore(program: Command, act: (options: RawExploreOptions) => Promise<void>): void {
  program
    .command('explore')
    .description('try every script of a scope: a tiny machine, few calls, few values, up to a length')
    .option('--scope <names>', 'scopes that have names (default: all but the large ones)', collect)
    .option('--step [case]', 'search nothing: go call by call from boot, or along a case, on any target')
    .option('--tests <folder>', 'search, and write scripts that cover every abstract transition of the scope')
    .option('--detail <level>', `with --tests: what tells states apart: ${DETAILS.join(', ')}`, 'counts')
    .option('--length <n>', 'with --tests: commands in a script at the most', String(TEST_COMMANDS))
    .option('--list', 'list the scopes and search none')
    .option('--spec', 'the specification alone, with every reply that its rules admit')
    .option('--target <name>', `${TARGET_HELP}; but for --step it must be able to go back (default: builtin)`)
    .option(
      '--only <names>',
      'calls or layers that are made; without --scope: of a scope of your own',
      collect,
    )
    .option('--machine <fields>', 'numbers of the machine, such as pages=4,orderMax=2', collect)
    .option('--policy <choices>', 'policies of the machine, such as placement=lifo', collect)
    .option('--few <n>', 'how many values an argument takes, unless the scope names them')
    .option('--depth <n>', 'commands in a script at the most')
    .option('--states <n>', 'states at which the search gives up (default: 1000000)')
    .option('--max-memory <MiB>', 'memory for states, at which the search gives up likewise')
    .option('--faults <n>', 'calls of a script in which a fault is injected, at the most')
    .option('--overlaps <n>', 'calls of a script that another actor interrupts, at the most')
    .option(
      '--symmetry',
      'visit one of each set of states that differ only in the names of clients, contexts and so on',
    )
    .option('--no-symmetry', 'visit all of them, whatever the scope says')
    .option('--no-closing', 'do not ask in every state whether everything can be given back')
    .option('--premise <name>', 'only findings that decide this argument count, such as T1')
    .option('--threads <n>', 'threads; the result does not depend on them (default: one for each core)')
    .option('--cases <folder>', 'where cases are saved', 'ionclad-cases')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `${EXPLORE_HELP}${EXIT_HELP}`)
    .action(act);
}

const LIST_TEXTS = {
  calls: 'list the calls: what they take and give, who makes them',
  invariants: 'list what must hold',
  targets: 'list what can be tested',
} as const;

type ListName = keyof typeof LIST_TEXTS;

function addLists(program: Command, act: (list: ListName, json: boolean) => Promise<void>): void {
  for (const name of ['calls', 'invariants', 'targets'] as const) {
    program
      .command(name)
      .description(LIST_TEXTS[name])
      .option('--json', 'print one JSON object')
      .addHelpText('after', `\nExample:\n  ionclad ${name} --json\n${EXIT_HELP}`)
      .action((options: { readonly json?: true }) => act(name, options.json === true));
  }
}

const collect = (text: string, before: readonly string[] = []): string[] => [...before, ...text.split(',')];
