/** How a command ends. */
import { CommanderError } from 'commander';
import { CaseError } from '../counterexamples/error.ts';

export const EXIT = {
  HELD: 0,
  FOUND: 1,
  USAGE: 2,
  TARGET: 3,
  NOTHING_RAN: 4,
  GATE: 5,
  INTERNAL: 70,
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For the end of every help text. */
export const EXIT_HELP = `
Exit codes:
  0    everything held
  1    a finding
  2    wrong usage, or input that cannot be read
  3    the target crashed, hung, or broke the protocol
  4    nothing ran
  5    a gate was missed: too little was tested, or a known bug was not found
  70   a fault of ionclad itself (IONCLAD_DEBUG=1 shows where)
  130  interrupted`;

/** Bad input from the user, reported as one line; never a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit code for whatever a command threw, and what to tell the user. */
export function explain(
  cause: unknown,
  debug: boolean,
): { readonly code: ExitCode; readonly lines: string[] } {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? EXIT.HELD : EXIT.USAGE, lines: [] };
  // By name: what a thread threw arrives without its class.
  if (error.name === 'TargetError' || error.name === 'UnconfirmedError')
    return { code: EXIT.TARGET, lines: indented(error.message) };
  if (error.name === 'UsageError' || error instanceof CaseError || error.name === 'ScriptError')
    return { code: EXIT.USAGE, lines: indented(error.message) };
  const lines = [`ionclad: internal error: ${error.message.split('\n', 1)[0]}; please report it`];
  return { code: EXIT.INTERNAL, lines: debug ? [...lines, error.stack ?? ''] : lines };
}

/** The message on one line; what a target said last stands below it, indented. */
function indented(message: string): string[] {
  const [first = '', ...rest] = message.split('\n');
  return [`ionclad: ${first}`, ...rest.map((line) => `    ${line}`)];
}
