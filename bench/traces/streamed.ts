/**
 * A synthetic trace of any length through the command itself, over a pipe. `node dist/bench/traces/streamed.js BYTES`
 * ends with 1 unless nothing is found in so many bytes, and no more than {@link PEAK_BYTES} are ever held.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TraceReport } from '../../traces/index.ts';

/** Whatever the length. Half of it is what V8 lets lie around before it collects. */
export const PEAK_BYTES: number = 768 * 2 ** 20;

const PRINT = fileURLToPath(new URL('print.js', import.meta.url));
const COMMAND = fileURLToPath(new URL('../../../bin/ionclad.js', import.meta.url));
const LOOK_MS = 100;

export interface Streamed {
  readonly code: number | null;
  readonly report: TraceReport | undefined;
  readonly err: string;
  /** Of the checking process, as the kernel counts; undefined where there is no /proc. */
  readonly peakBytes: number | undefined;
}

/** Runs the generator into `ionclad check-trace -`. */
export async function checkStreamed(bytes: number): Promise<Streamed> {
  const generator = spawn(process.execPath, [PRINT, String(bytes)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const checker = spawn(process.execPath, [COMMAND, 'check-trace', '--json', '-'], {
    stdio: [generator.stdout, 'pipe', 'pipe'],
  });
  // The checker has its own end of the pipe.
  generator.stdout.destroy();
  let out = '';
  let err = '';
  checker.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
  });
  checker.stderr.on('data', (piece: Buffer) => {
    err += piece.toString();
  });
  let peakBytes: number | undefined;
  const watch = setInterval(() => {
    peakBytes = peakOf(checker.pid) ?? peakBytes;
  }, LOOK_MS);
  const code = await new Promise<number | null>((done) => checker.on('close', done));
  clearInterval(watch);
  const printed: { reports: TraceReport[] } = out === '' ? { reports: [] } : JSON.parse(out);
  return { code, report: printed.reports[0], err, peakBytes };
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const [, kib] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

async function main(bytes: number): Promise<number> {
  const before = performance.now();
  const { code, report, err, peakBytes } = await checkStreamed(bytes);
  const seconds = (performance.now() - before) / 1000;
  const events = report?.source.events ?? 0;
  const held = peakBytes === undefined ? 'an unknown amount' : `${(peakBytes / 2 ** 20).toFixed(0)} MiB`;
  const rate = `${(events / seconds / 1000).toFixed(0)} k events/s on the clock, generator included`;
  console.log(`${bytes / 1e6} MB, ${events} events, ${rate}, ${held} held, exit code ${code}`);
  const isGood = code === 0 && report?.findings.length === 0 && (peakBytes ?? 0) <= PEAK_BYTES;
  if (!isGood) console.log(err);
  return isGood ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = await main(Number(process.argv[2] ?? 1e9));
