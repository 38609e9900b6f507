/** Lines for tests of whatever reads lines. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Some lines of each form and of each event, so that what is mutated is close to what is read. */
export const SAMPLES: readonly string[] = [
  '6.12-strict1-work.ftrace',
  '6.12-strict1-perf-script',
  '6.12-strict1-trace-cmd-report',
]
  .map((name) => new URL(`../../../traces/fixtures/qemu-${name}.txt.gz`, import.meta.url))
  .flatMap((file) => {
    const lines = gunzipSync(readFileSync(file)).toString('latin1').trimEnd().split('\n');
    const seen = new Map<string, number>();
    return lines.filter((line) => {
      const name = /\d: +([\w:]+): /.exec(line)?.[1] ?? '#';
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return (seen.get(name) ?? 0) <= 4;
    });
  });
