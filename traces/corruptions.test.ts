import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { checked, EXPECTATIONS, judged, type SystemName, systemTrace } from '../bench/traces/expectations.ts';
import { type Reading, readingOf } from '../bench/traces/reading.ts';

const SEEDS = [0, 1];

const traces = new Map<string, Reading>();

function traceOf(system: SystemName, seed: number): Reading {
  const key = `${system} ${seed}`;
  const made = traces.get(key) ?? systemTrace(system, seed);
  traces.set(key, made);
  return made;
}

/** `npm run bench` has more seeds: `node dist/bench/traces/rates.js 50`. */
describe('a trace with one thing wrong in it', () => {
  for (const expectation of EXPECTATIONS) {
    const { name, checks, systems } = expectation;
    const outcome = checks.length === 0 ? 'nothing that is not so' : checks.join(' or ');
    it(`${name}: ${outcome}`, () => {
      for (const system of systems)
        for (const seed of SEEDS) {
          const found = judged(traceOf(system, seed), expectation, seed);
          const where = `${system}, seed ${seed}`;
          if (found === undefined) throw new Error(`${where}: no place for it`);
          expect(
            found.wrong.map(({ check, confidence, text }) => `${confidence} ${check}: ${text}`),
            where,
          ).to.deep.equal([]);
          expect(found.expected !== undefined, where).to.equal(checks.length > 0);
        }
    });
  }
});

function recorded(name: string): Reading {
  const packed = readFileSync(new URL(`../../traces/fixtures/${name}.ftrace.txt.gz`, import.meta.url));
  return readingOf(gunzipSync(packed).toString('latin1').trimEnd().split('\n'));
}

describe('a recorded trace with one thing wrong in it', () => {
  for (const name of ['qemu-6.12-strict1-work', 'qemu-6.12-strict0-api', 'qemu-6.1-strict0-work'])
    it(name, () => {
      const trace = recorded(name);
      const before = checked(trace.lines).findings;
      const seen: string[] = [];
      const missed: string[] = [];
      for (const expectation of EXPECTATIONS) {
        const outcome = judged(trace, expectation, 1, before);
        if (outcome === undefined) continue;
        const wrong = outcome.wrong.map(({ check, confidence, text }) => `${confidence} ${check}: ${text}`);
        expect(wrong, expectation.name).to.deep.equal([]);
        if (outcome.expected !== undefined) seen.push(expectation.name);
        else if (expectation.checks.length > 0) missed.push(expectation.name);
      }
      expect({ seen: seen.length, missed }).to.deep.equal({ seen: 0, missed: [] });
    });
});
