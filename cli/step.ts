/** `ionclad explore --step`: call by call, from boot or along a case, at a terminal or with lines from elsewhere. */
import { createInterface } from 'node:readline';
import type { Case } from '../counterexamples/index.ts';
import { FORMAT, type Scope, type Script } from '../properties/index.ts';
import { readCaseFile } from './case-files.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { ownScope, type RawExploreOptions, scopesOf } from './explore-options.ts';
import { ownTarget } from './replay.ts';
import { variants, withFault } from './replay-case.ts';
import type { Input, Session } from './session.ts';
import { Stepping } from './step-commands.ts';
import { atTerminal } from './step-screen.ts';
import { Walk } from './step-walk.ts';
import { closeTarget, openTarget, type TargetName, targetName } from './targets.ts';

export interface StepOptions {
  readonly target: TargetName;
  readonly scope: Scope;
  /** What is ahead at first. */
  readonly script: Script;
  readonly premise?: string;
  /** What is stepped along, in one sentence. */
  readonly title: string;
}

/** Values of an argument that are offered where nobody says how many: the first two of its range. */
const FEW = '2';
/** States at which a search gives up, where nobody says how many: meanwhile no key is heard. */
const STATES = '20000';

/** Options that say what a case says itself. */
const OF_THE_CASE = ['scope', 'machine', 'policy', 'memory', 'pages'] as const;

/** @throws {UsageError} or CaseError for the first option that does not fit */
export function stepOptions(raw: RawExploreOptions, program: readonly string[]): StepOptions {
  if (raw.json === true) throw new UsageError('--json: not with --step');
  if (raw.step === undefined || raw.step === true) return fromBoot(raw, program);
  const given = OF_THE_CASE.find((option) => raw[option] !== undefined);
  if (given !== undefined) throw new UsageError(`--${given}: not with a case, which has its own machine`);
  const read = readCaseFile(raw.step);
  const [{ script } = read] = variants(read).filter(
    ({ value }) => value === undefined || read.expect?.[value] !== 'holds',
  );
  const target = raw.target === undefined ? ownTarget(read, raw.step) : targetName(raw.target, program);
  const { machine: _none, ...offered } = ownScope({ few: FEW, states: STATES, ...raw }).scope;
  return {
    target,
    script: withFault(script, read.property),
    title: titleOf(read),
    scope: { ...offered, machine: script.machine },
    ...(read.property.name === 'verdict' ? { premise: read.property.premise } : {}),
  };
}

function fromBoot(raw: RawExploreOptions, program: readonly string[]): StepOptions {
  const asked =
    raw.scope === undefined
      ? [ownScope({ few: FEW, states: STATES, ...raw })]
      : scopesOf({ states: STATES, ...raw });
  const [first] = asked;
  if (first === undefined || asked.length > 1) throw new UsageError('--scope: --step takes one');
  const { name, text, scope } = first;
  const script = { format: FORMAT, machine: scope.machine, commands: [] };
  return { target: targetName(raw.target ?? 'builtin', program), script, title: `${name}: ${text}`, scope };
}

function titleOf({ title, property: { name } }: Case): string {
  if (name === 'lockstep' || name === 'verdict' || name === 'schedule') return title;
  return `${title} (found by the property ${name}, of which a walk shows one run in lockstep)`;
}

export async function stepCommand(options: StepOptions, session: Session): Promise<ExitCode> {
  const { input, screen } = session;
  if (input === undefined) throw new Error('internal error: nobody can type');
  const opened = await openTarget(options.target);
  try {
    const walk = new Walk(opened, options.script, options.premise);
    await walk.restart();
    const stepping = new Stepping(walk, options.scope);
    if (input.isTTY === true && screen !== undefined)
      await atTerminal(stepping, options.title, input, screen, session);
    else await alongLines(stepping, options.title, input, session);
    if (!session.signal.aborted) return EXIT.HELD;
    session.io.err('ionclad: interrupted');
    return EXIT.INTERRUPTED;
  } finally {
    await closeTarget(opened);
  }
}

/** A log: each line that comes in, and below it what it did. */
async function alongLines(
  stepping: Stepping,
  title: string,
  input: Input,
  { io, signal }: Session,
): Promise<void> {
  const lines = createInterface({ input, signal });
  io.out(title);
  io.out(stepping.place);
  for await (const line of lines) {
    io.out(`> ${line}`);
    const answer = await stepping.type(line);
    if (answer === undefined) break;
    for (const each of answer) io.out(each);
  }
  lines.close();
}
