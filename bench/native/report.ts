/** Ours beside C, side by side in one run: nanoseconds of an operation, and how many times those of C. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, run, writeTrace } from './program.ts';
import { drawChurn, drawRuns, drawSlots, IOVA, nativeMachine, PAGES, type Trace } from './trace.ts';

const SEED = 7;
const ROUNDS = 15;
const PASSES = 3;

const small = nativeMachine({ orderMax: 10, pages: 4096 });
const large = nativeMachine({ orderMax: 10, pages: 65_536 });
/** 2^20 I/O pages under three levels of 512 entries. */
const wide = nativeMachine({ pages: 4096, pageShift: 9, ioPages: 1 << 20, tableBits: 9 });
const deep = nativeMachine({ pages: 4096, ioPages: 1 << 14 });

const load = (machine: typeof small, slots: number, largest: number, count = 200_000) => ({
  ...{ machine, slots, largest, count },
  seed: SEED,
});

/** What is measured. The slots make half or nine tenths of the pages taken. */
const ROWS: readonly (readonly [name: string, trace: () => Trace])[] = [
  ['pages: orders 0 to 4, 4,096 pages, half taken', () => drawSlots(PAGES, load(small, 660, 4))],
  ['pages: orders 0 to 4, 65,536 pages, half taken', () => drawSlots(PAGES, load(large, 10_570, 4))],
  ['pages: orders 0 to 4, 65,536 pages, 0.9 taken', () => drawSlots(PAGES, load(large, 19_000, 4))],
  [
    'pages: single ones, up to 64 of them parked',
    () => drawSlots(PAGES, load({ ...small, parked: 64 }, 4096, 0)),
  ],
  ['tables: map or unmap a page, 3 levels of 512', () => drawChurn(load(wide, 65_536, 1), false)],
  ['tables: look up a page, 3 levels of 512', () => drawChurn(load(wide, 65_536, 1), true)],
  ['tables: map or unmap a page, 7 levels of 4', () => drawChurn(load(deep, 1024, 1), false)],
  ['tables: runs and blocks up to 64, 7 levels of 4', () => drawRuns(load(deep, 1, 64, 50_000))],
  ['iova: 1 to 8 I/O pages, 256 ranges taken', () => drawSlots(IOVA, load(wide, 512, 8, 100_000))],
  ['iova: 1 to 8 I/O pages, 4,096 ranges taken', () => drawSlots(IOVA, load(wide, 8192, 8, 5000))],
];

/** Measures everything and hands out the lines, or the sentence that says why not. */
export function reportNative(print: (line: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'ionclad-native-'));
  try {
    const compiled = compile(folder);
    if ('skipped' in compiled) {
      print(`beside C: ${compiled.skipped}`);
      return;
    }
    const how = `best of ${PASSES} x ${ROUNDS} rounds, CPU time, seed ${SEED}`;
    print(`beside C (${compiled.command}), same operations, same answers; ${how}`);
    for (const [name, draw] of ROWS)
      print(compare(name, writeTrace(folder, 'row', draw()), compiled.program));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One line. @throws Error when the answers differ: the figures would mean nothing */
function compare(name: string, file: string, program: string): string {
  let c = Number.POSITIVE_INFINITY;
  let ours = Number.POSITIVE_INFINITY;
  const self = fileURLToPath(new URL('ours.js', import.meta.url));
  for (let pass = 0; pass < PASSES; pass++) {
    const native = run(program, [file, String(ROUNDS)]);
    const own = run(process.execPath, [self, file, String(ROUNDS)]);
    if (native.checksum !== own.checksum) throw new Error(`${name}: C and TypeScript answer differently`);
    c = Math.min(c, native.nanoseconds);
    ours = Math.min(ours, own.nanoseconds);
  }
  const figures = `${ours.toFixed(1).padStart(9)} ns ${c.toFixed(1).padStart(9)} ns in C`;
  return `${figures} ${(ours / c).toFixed(2).padStart(6)} x of C  ${name}`;
}
