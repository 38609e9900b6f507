import { expect } from 'chai';
import { EXPECTATIONS, judged, type SystemName, systemTrace } from '../bench/traces/expectations.ts';
import type { Reading } from '../bench/traces/reading.ts';

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
