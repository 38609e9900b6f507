/** The command line. */
import { EXIT, type ExitCode, explain } from './exit.ts';
import { commands } from './program.ts';
import {
  type Input,
  type Recorded,
  recordingSession,
  type Session,
  standardOutput,
  standardScreen,
} from './session.ts';

/**
 * Runs one command line.
 *
 * @param args - without the names of node and of the script
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      // The second Ctrl-C ends the process at once; a target may still end its children.
      process.removeListener('SIGINT', interrupt);
      process.kill(process.pid, 'SIGINT');
    }
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  let isLost = false;
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Somebody who read enough, such as `head`, has closed the other end.
    if (code === 'EPIPE' || isLost) return;
    isLost = true;
    process.exitCode = EXIT.USAGE;
    process.stderr.write(`ionclad: standard output cannot be written: ${code}; write it elsewhere\n`);
  });
  // Nowhere is left to say it.
  process.stderr.on('error', () => {});
  const screen = standardScreen();
  const session: Session = {
    io: standardOutput(),
    ...(screen === undefined ? {} : { screen }),
    signal: controller.signal,
    get input() {
      return process.stdin;
    },
    now: () => performance.now(),
  };
  try {
    const code = await execute(args, session);
    return isLost ? EXIT.USAGE : code;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

/** Runs one command line with everything of the outer world handed in. */
export async function execute(args: readonly string[], session: Session): Promise<ExitCode> {
  try {
    return await commands(args, session);
  } catch (cause) {
    const { code, lines } = explain(cause, (process.env['IONCLAD_DEBUG'] ?? '') !== '');
    for (const line of lines) session.io.err(line);
    return code;
  }
}

/** Runs one command line with its output kept, in this process. */
export async function record(
  args: readonly string[],
  signal?: AbortSignal,
  input?: Input,
): Promise<Recorded & { readonly code: ExitCode }> {
  const session = recordingSession(signal, input);
  const code = await execute(args, session);
  return { code, ...session.recorded() };
}
