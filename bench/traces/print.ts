/**
 * `node dist/bench/traces/print.js BYTES [OPTIONS] [CORRUPTION]` writes a synthetic trace of about so many bytes to
 * standard output. OPTIONS are JSON, such as `{"seed":7,"mode":"lazy","kmem":false}`. CORRUPTION is the name of one in
 * `expectations.ts`; such a trace is held in memory. Stops where nobody reads any more.
 */
import { writeSync } from 'node:fs';
import { SeededChoices } from '../../properties/choices.ts';
import { EXPECTATIONS } from './expectations.ts';
import { readingOf } from './reading.ts';
import { BUSY, type SyntheticOptions, syntheticTrace } from './synthetic.ts';

const CHUNK = 1 << 16;

const [bytes = '1000000', overrides = '{}', corruption] = process.argv.slice(2);
if (!(Number(bytes) > 0)) throw new Error(`BYTES must be a number of bytes, not "${bytes}"`);
const chosen: Partial<SyntheticOptions> = JSON.parse(overrides);
const options = { ...BUSY, lines: Number.POSITIVE_INFINITY, ...chosen };
if (corruption === undefined) print(syntheticTrace(options));
else print([corrupted(corruption)]);

function print(parts: Iterable<readonly string[]>): void {
  let pending = '';
  let left = Number(bytes);
  for (const lines of parts) {
    for (const line of lines) pending += `${line}\n`;
    if (pending.length < CHUNK) continue;
    left -= pending.length;
    if (!write(pending) || left <= 0) return;
    pending = '';
  }
  write(pending);
}

/** About a hundred bytes make a line. */
function corrupted(name: string): readonly string[] {
  const found = EXPECTATIONS.find((each) => each.name === name);
  const trace = readingOf([...syntheticTrace({ ...options, lines: Number(bytes) / 100 })].flat());
  const made = found?.corruption(trace, new SeededChoices(options.seed, 0));
  if (made !== undefined) return made.lines;
  throw new Error(
    `no such corruption, or no place for it; there are: ${EXPECTATIONS.map((e) => e.name).join('; ')}`,
  );
}

/** Waits for a slow reader; false where there is none any more. */
function write(text: string): boolean {
  let rest: Uint8Array = Buffer.from(text, 'latin1');
  while (rest.length > 0)
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  return true;
}
