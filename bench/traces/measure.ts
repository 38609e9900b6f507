/**
 * `node dist/bench/traces/measure.js PART FILE` runs one part of the check over a trace (`-`: standard input) and
 * prints what it took as JSON: a process of its own for each, so that none is compiled with another in mind.
 */
import { createReadStream } from 'node:fs';
import { recordingSession } from '../../cli/session.ts';
import { readTrace } from '../../cli/trace-input.ts';
import type { TakeLine } from '../../cli/trace-lines.ts';
import { TraceChecker } from '../../traces/index.ts';
import { Reorder } from '../../traces/order.ts';
import { TraceParser } from '../../traces/read/parse.ts';

export interface Measured {
  readonly events: number;
  /** Of CPU time, other threads' as well. */
  readonly seconds: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

interface Part {
  readonly line: TakeLine;
  /** How many events there were, once all lines are in. */
  end(): number;
}

function parser(): Part {
  const parsing = new TraceParser();
  let events = 0;
  return {
    line(bytes, from, to) {
      if (parsing.read(bytes, from, to) !== undefined) events += 1;
    },
    end: () => events,
  };
}

function order(): Part {
  const parsing = new TraceParser();
  let events = 0;
  const ordering = new Reorder(() => {
    events += 1;
  });
  return {
    line(bytes, from, to) {
      const event = parsing.read(bytes, from, to);
      if (event !== undefined) ordering.push(event);
    },
    end() {
      ordering.end();
      return events;
    },
  };
}

function check(): Part {
  const checker = new TraceChecker({ file: 'bench' });
  return { line: (bytes, from, to) => checker.read(bytes, from, to), end: () => checker.end().source.events };
}

const PARTS: Readonly<Record<string, () => Part>> = {
  lines: () => ({ line() {}, end: () => 0 }),
  parser,
  order,
  check,
};

async function measure(name: string, file: string): Promise<Measured> {
  const part = PARTS[name]?.();
  if (part === undefined) throw new Error(`there is no part ${name}`);
  const input = file === '-' ? process.stdin : createReadStream(file);
  let bytes = 0;
  const reader = {
    line(line: Uint8Array, from: number, to: number) {
      bytes += to - from + 1;
      part.line(line, from, to);
    },
    read() {},
  };
  const before = process.cpuUsage();
  const early = await readTrace('-', reader, recordingSession(undefined, input));
  if (early !== undefined) throw new Error(early);
  const events = part.end();
  const { user, system } = process.cpuUsage(before);
  return {
    ...{ events, bytes, seconds: (user + system) / 1e6 },
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const [, , name = '', file = ''] = process.argv;
process.stdout.write(JSON.stringify(await measure(name, file)));
