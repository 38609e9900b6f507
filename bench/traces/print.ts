/**
 * `node dist/bench/traces/print.js BYTES [OPTIONS]` writes a synthetic trace of about so many bytes to standard
 * output; OPTIONS are JSON, such as `{"seed":7,"mode":"lazy","kmem":false}`. Stops where nobody reads any more.
 */
import { writeSync } from 'node:fs';
import { BUSY, type SyntheticOptions, syntheticTrace } from './synthetic.ts';

const CHUNK = 1 << 16;

const [bytes = '1000000', overrides = '{}'] = process.argv.slice(2);
const chosen: Partial<SyntheticOptions> = JSON.parse(overrides);
let pending = '';
let left = Number(bytes);
for (const lines of syntheticTrace({ ...BUSY, lines: Number.POSITIVE_INFINITY, ...chosen })) {
  for (const line of lines) pending += `${line}\n`;
  if (pending.length < CHUNK) continue;
  left -= pending.length;
  if (!write(pending) || left <= 0) break;
  pending = '';
}
if (left > 0) write(pending);

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
