import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import {
  checked,
  EXPECTATIONS,
  type Expectation,
  judged,
  ofDrivers,
  type SystemName,
  systemTrace,
} from '../bench/traces/expectations.ts';
import { type Reading, readingOf } from '../bench/traces/reading.ts';

/** Each corruption has one of these, so that not all are made on the same traces. */
const SEEDS = 3;

const traces = new Map<string, Reading>();

function traceOf(system: SystemName, seed: number): Reading {
  const key = `${system} ${seed}`;
  const made = traces.get(key) ?? systemTrace(system, seed);
  traces.set(key, made);
  return made;
}

function isAsExpected(expectation: Expectation, index: number): void {
  for (const system of expectation.systems) {
    const seed = index % SEEDS;
    const found = judged(traceOf(system, seed), expectation, seed);
    const where = `${system}, seed ${seed}`;
    if (found === undefined) throw new Error(`${where}: no place for it`);
    const wrong = found.wrong.map(({ check, confidence, text }) => `${confidence} ${check}: ${text}`);
    expect(wrong, where).to.deep.equal([]);
    expect(found.expected !== undefined, where).to.equal(expectation.checks.length > 0);
  }
}

/** `node dist/bench/traces/rates.js 30` takes more seeds. */
for (const [where, expectations] of [
  ['a trace', EXPECTATIONS],
  ['a trace without events of an IOMMU', EXPECTATIONS.map(ofDrivers)],
] as const)
  describe(`${where} with one thing wrong in it`, () => {
    for (const [index, expectation] of expectations.entries()) {
      const { name, checks } = expectation;
      const outcome = checks.length === 0 ? 'nothing that is not so' : checks.join(' or ');
      it(`${name}: ${outcome}`, () => isAsExpected(expectation, index));
    }
  });

function recorded(name: string): Reading {
  const packed = readFileSync(new URL(`../../traces/fixtures/${name}.ftrace.txt.gz`, import.meta.url));
  return readingOf(gunzipSync(packed).toString('latin1').trimEnd().split('\n'));
}

describe('a recorded trace with one thing wrong in it', () => {
  /** How many of the mistakes there is a place for: pages that are freed, drivers' calls that are named. */
  for (const [name, mistakes] of [
    ['qemu-6.12-strict1-work', 10],
    ['qemu-6.12-strict0-api', 6],
    ['qemu-6.1-strict0-work', 6],
  ] as const)
    it(`${name}: all of ${mistakes} mistakes, and nothing that is not so`, () => {
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
      expect({ seen: seen.length, missed }).to.deep.equal({ seen: mistakes, missed: [] });
    });
});
