/**
 * `npm run bench -- trace`: what checking a trace costs, part by part, and in how much memory. All read the same
 * synthetic trace, one after the other, on CPU time, best of all passes; what counts is the ratio beside a figure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { table } from '../../cli/table.ts';
import type { Measured } from './measure.ts';

/** Long enough that the compiler's work, more than a second of it, counts for little. */
const BYTES = 400e6;
const PASSES = 2;
/** Over a pipe, one ten times the other: what is held must not grow with the length of a trace. */
const LENGTHS = [100e6, 1000e6];
const EVENTS_AIM = 300_000;

const PRINT = fileURLToPath(new URL('print.js', import.meta.url));
const MEASURE = fileURLToPath(new URL('measure.js', import.meta.url));

const ROWS = [
  ['the whole check, text', 'check', 'trace.txt'],
  ['the whole check, gzip', 'check', 'trace.txt.gz'],
  ['the whole check, zstd', 'check', 'trace.txt.zst'],
  ['parser and order', 'order', 'trace.txt'],
  ['parser', 'parser', 'trace.txt'],
  ['lines, text', 'lines', 'trace.txt'],
  ['lines, gzip', 'lines', 'trace.txt.gz'],
  ['lines, zstd', 'lines', 'trace.txt.zst'],
] as const;

export function reportTraces(print: (line: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'ionclad-trace-'));
  try {
    reportParts(print, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
  reportMemory(print);
}

/** Without the zstd program there is no trace packed by it, and no figure. */
function writeTraces(folder: string): readonly string[] {
  const path = join(folder, 'trace.txt');
  writeFileSync(path, shell('"$0" "$1" "$2"', [PRINT, String(BYTES)]));
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  const { status } = spawnSync('zstd', ['-q', path, '-o', `${path}.zst`]);
  return status === 0 ? [] : ['trace.txt.zst'];
}

function reportParts(print: (line: string) => void, folder: string): void {
  const missing = writeTraces(folder);
  const rows = ROWS.filter(([, , file]) => !missing.includes(file));
  const best = new Map<string, Measured>();
  for (let pass = 0; pass < PASSES; pass++)
    for (const [name, part, file] of rows) {
      const measured = measureApart([part, join(folder, file)]);
      if (measured.seconds < (best.get(name)?.seconds ?? Number.POSITIVE_INFINITY)) best.set(name, measured);
    }
  const first = best.get(ROWS[0][0]);
  if (first === undefined) return;
  const { events, bytes } = first;
  print(
    `a trace of ${millions(bytes)} MB, ${(events / 1000).toFixed(0)} k events; CPU time, best of ${PASSES}`,
  );
  const cells = [...best].map(([name, { seconds, peakBytes }]) => [
    `${(events / seconds / 1000).toFixed(0)} k events/s`,
    `${(bytes / seconds / 1e6).toFixed(0)} MB/s`,
    `${(first.seconds / seconds).toFixed(2)} x`,
    `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    name,
  ]);
  for (const line of table(cells, new Set([0, 1, 2, 3]))) print(line);
  print(`aim: ${EVENTS_AIM / 1000} k events/s for the whole check`);
}

function reportMemory(print: (line: string) => void): void {
  for (const bytes of LENGTHS) {
    const measured: Measured = JSON.parse(
      shell('"$0" "$1" "$2" | "$0" "$3" check -', [PRINT, String(bytes), MEASURE]).toString(),
    );
    const rate = `${(measured.events / measured.seconds / 1000).toFixed(0)} k events/s`;
    print(
      `${millions(bytes)} MB over a pipe: ${rate}, at most ${(measured.peakBytes / 2 ** 20).toFixed(0)} MiB`,
    );
  }
}

const measureApart = (args: readonly string[]): Measured =>
  JSON.parse(shell('"$0" "$1" "$2" "$3"', [MEASURE, ...args]).toString()) as Measured;

/** Runs a line of the shell in which `$0` is Node. Returns what it wrote. */
function shell(script: string, args: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script, process.execPath, ...args], {
    maxBuffer: 2 * BYTES,
  });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

const millions = (value: number): string => (value / 1e6).toFixed(value < 10e6 ? 1 : 0);
