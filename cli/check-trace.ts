/** `ionclad check-trace`: recorded traces of real kernels against the specification. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Mode, TraceChecker, type TraceReport } from '../traces/index.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { saveText } from './save.ts';
import type { Session } from './session.ts';
import { tracePage } from './trace-page.ts';
import { traceText } from './trace-text.ts';
import { version } from './version.ts';

export interface TraceCommandOptions {
  readonly strict?: true;
  readonly lazy?: true;
  readonly json?: true;
  readonly html?: string;
}

/** Checks file after file; each is a trace of its own. */
export async function checkTraceCommand(
  files: readonly string[],
  options: TraceCommandOptions,
  { io }: Session,
): Promise<ExitCode> {
  const mode = modeOf(options);
  const reports = files.map((file) => checkFile(file, mode));
  const wrong = reports.some(({ totals }) => totals.certain + totals.likely > 0);
  const exitCode = wrong ? EXIT.FOUND : EXIT.HELD;
  if (options.html !== undefined) {
    const saved = saveText(options.html, tracePage(reports));
    if ('problem' in saved) throw new UsageError(saved.problem);
  }
  if (options.json === true)
    io.out(JSON.stringify({ ionclad: version(), command: 'check-trace', exitCode, reports }, null, 2));
  else for (const report of reports) for (const line of traceText(report, io)) io.out(line);
  return exitCode;
}

function modeOf({ strict, lazy }: TraceCommandOptions): Mode | undefined {
  if (strict === true && lazy === true) throw new UsageError('--strict and --lazy exclude each other');
  if (strict === true) return 'strict';
  return lazy === true ? 'lazy' : undefined;
}

function checkFile(file: string, mode: Mode | undefined): TraceReport {
  const checker = new TraceChecker({ file, ...(mode === undefined ? {} : { mode }) });
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1');
  for (const line of text.split('\n')) checker.line(line);
  return checker.end();
}
