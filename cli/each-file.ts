/** What commands that take files have in common: one that cannot be read does not keep the others from their turn. */
import { setImmediate } from 'node:timers/promises';
import { EXIT, type ExitCode, explain } from './exit.ts';
import type { Session } from './session.ts';

/** Files, and the words of the program that is the target: without one, they are files too. */
export function filesAndProgram(
  files: readonly string[],
  words: readonly string[],
  target: string | undefined,
): { readonly named: readonly string[]; readonly program: readonly string[] } {
  const program = target === 'process' ? words : [];
  return { named: program.length > 0 ? files : [...files, ...words], program };
}

/** Acts on file after file until Ctrl-C. Returns the worst of their codes; what went wrong is told. */
export async function eachFile(
  files: readonly string[],
  { io, signal }: Session,
  act: (file: string) => Promise<readonly ExitCode[]>,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.HELD;
  for (const file of files) {
    // Cases in this process leave no time to hear of Ctrl-C but between two of them.
    await setImmediate();
    if (signal.aborted) break;
    try {
      for (const code of await act(file)) if (code > worst) worst = code;
    } catch (cause) {
      const { code, lines } = explain(cause, (process.env['IONCLAD_DEBUG'] ?? '') !== '');
      for (const line of lines) io.err(line);
      if (code > worst) worst = code;
    }
  }
  return signal.aborted ? EXIT.INTERRUPTED : worst;
}
