/** `ionclad check-trace`: recorded traces of real kernels against the specification. */
import { CHECKS, type Mode, TraceChecker, type TraceReport } from '../traces/index.ts';
import type { Opening } from '../traces/script/index.ts';
import { eachFile } from './each-file.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { Progress } from './progress.ts';
import type { Session } from './session.ts';
import { count, many } from './table.ts';
import { type ReportFiles, refuseUnwritable, writeReports } from './trace-files.ts';
import { readTrace } from './trace-input.ts';
import type { Exported } from './trace-script.ts';
import { openingFor, type RawScriptOptions, scriptRequest } from './trace-script-options.ts';
import { traceText } from './trace-text.ts';
import { version } from './version.ts';

export interface TraceCommandOptions extends RawScriptOptions, ReportFiles {
  readonly strict?: true;
  readonly lazy?: true;
  readonly json?: true;
}

/** Checks file after file; each is a trace of its own. One that cannot be read does not keep the others from it. */
export async function checkTraceCommand(
  files: readonly string[],
  options: TraceCommandOptions,
  session: Session,
): Promise<ExitCode> {
  const { io, signal } = session;
  const mode = modeOf(options);
  if (files.indexOf('-') !== files.lastIndexOf('-')) throw new UsageError('-: it can be read only once');
  const request = scriptRequest(options, files);
  const opening = request && openingFor(request);
  let script: Exported | undefined;
  refuseUnwritable([options.html, options.markdown, options.sarif, options.script]);
  const reports: TraceReport[] = [];
  const exitCode = await eachFile(files, session, async (file) => {
    const report = await checkFile(file, mode, session, opening);
    reports.push(report);
    if (options.json !== true) for (const line of traceText(report, io)) io.out(line);
    if (request !== undefined && opening !== undefined) {
      const { exportScript, exportedText } = await import('./trace-script.ts');
      script = await exportScript(request, report, opening);
      if (options.json !== true) for (const line of exportedText(script)) io.out(line);
    }
    return [codeOf(report, session)];
  });
  if (signal.aborted) io.err('ionclad: interrupted');
  writeReports(options, reports);
  if (options.json === true)
    io.out(
      JSON.stringify({ ionclad: version(), command: 'check-trace', exitCode, reports, script }, null, 2),
    );
  return exitCode;
}

function modeOf({ strict, lazy }: TraceCommandOptions): Mode | undefined {
  if (strict === true && lazy === true) throw new UsageError('--strict and --lazy exclude each other');
  if (strict === true) return 'strict';
  return lazy === true ? 'lazy' : undefined;
}

async function checkFile(
  file: string,
  mode: Mode | undefined,
  session: Session,
  opening: Opening | undefined,
): Promise<TraceReport> {
  const checker = new TraceChecker({ file, ...(mode === undefined ? {} : { mode }) });
  const progress = new Progress(session, 1, undefined);
  const reader = {
    line(line: Uint8Array, from: number, to: number): void {
      checker.read(line, from, to);
      opening?.read(line, from, to);
    },
    read(bytes: number, size = Number.POSITIVE_INFINITY): void {
      const told = (seconds: number): string =>
        `${file}: ${howFar(bytes, size, checker.done.lines, seconds)}`;
      progress.tell(told, bytes / size);
    },
  };
  try {
    const early = await readTrace(file, reader, session);
    return checker.end(early);
  } finally {
    progress.end();
  }
}

/** On one line, after so many seconds. @param size - infinite where it is not known */
function howFar(bytes: number, size: number, lines: number, seconds: number): string {
  const rate = `${many(lines, 'line')}, ${count(Math.round(lines / seconds))} lines/s`;
  const read = `${count(Math.floor(bytes / 1e6))} MB`;
  if (size === Number.POSITIVE_INFINITY) return `${read}, ${rate}`;
  const share = bytes / size;
  const left = Math.ceil((seconds * (1 - share)) / share);
  return `${Math.floor(100 * share)} % of ${count(Math.ceil(size / 1e6))} MB, ${rate}, ${left} s left`;
}

/** Events that something is held against. Others only help to understand these. */
const JUDGED = /^(iommu:(map|unmap|io_page_fault)|dma:.*)$/;

function codeOf({ source, sight, findings }: TraceReport, { io }: Session): ExitCode {
  if (!sight.seen.some(([name]) => JUDGED.test(name))) {
    const lines = source.lines === 0 ? 'it is empty' : `no such event in ${many(source.lines, 'line')}`;
    io.err(`ionclad: ${source.file}: nothing to check: ${lines}; see ionclad check-trace --help for events`);
    return EXIT.NOTHING_RAN;
  }
  const isWrong = findings.some(
    ({ check, confidence }) => CHECKS[check].level === 'violation' && confidence !== 'possible',
  );
  return isWrong ? EXIT.FOUND : EXIT.HELD;
}
