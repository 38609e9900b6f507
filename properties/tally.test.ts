import { expect } from 'chai';
import { rowCount, SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { runChunk } from './campaign.ts';
import { CHUNK_SCRIPTS } from './generate.ts';
import { noveltyOf } from './novelty.ts';
import type { Script } from './script.ts';
import { addCounts, type Counts, firstRows, noCounts, noteLabel, rowNames, tallyOf } from './tally.ts';

const { rows, first } = firstRows(SPEC);

const chunks: readonly Counts[] = [0, 1, 2].map(
  (chunk) => runChunk({ spec: SPEC, target: builtin(), seed: 1, plan: {} }, chunk, 3 * CHUNK_SCRIPTS).counts,
);

function sum(...all: readonly Counts[]): Counts {
  const total = noCounts(rows);
  for (const counts of all) addCounts(total, counts);
  return total;
}

/** Everything but which of several equally short scripts a label shows, and the numbers of scripts and machines. */
const numbersOf = ({ labels, transitions, ...numbers }: Counts): unknown => ({
  ...numbers,
  novelty: noveltyOf(transitions, numbers.scripts),
  labels: Object.fromEntries(
    Object.entries(labels).map(([name, { count, script }]) => [name, [count, script.commands.length]]),
  ),
});

describe('addCounts', () => {
  const [a = noCounts(rows), b = noCounts(rows), c = noCounts(rows)] = chunks;

  it('is associative', () => {
    expect(sum(sum(a, b), c)).to.deep.equal(sum(a, sum(b, c)));
  });

  it('is commutative, but for which of equally short scripts a label shows', () => {
    expect(numbersOf(sum(a, b, c))).to.deep.equal(numbersOf(sum(c, a, b)));
  });

  it('has nothing as its neutral element, and leaves what it adds alone', () => {
    const text = JSON.stringify(a);
    expect(sum(a, noCounts(rows))).to.deep.equal(a);
    sum(a, b);
    expect(JSON.stringify(a)).to.equal(text);
  });
});

describe('noteLabel', () => {
  it('keeps the shortest script, the earlier of two', () => {
    const script = (length: number, pages: number): Script => ({
      format: 1,
      machine: { pages },
      commands: Array.from({ length }, () => ({ op: 'ion_client_create' })),
    });
    const counts = noCounts(0);
    for (const next of [script(3, 1), script(2, 2), script(2, 3), script(5, 4)]) noteLabel(counts, 'a', next);
    expect(counts.labels['a']).to.deep.equal({ count: 4, script: script(2, 2) });
  });
});

describe('rows', () => {
  it('are numbered over all rules, without gaps, like their names', () => {
    const names = rowNames(SPEC);
    expect(names).to.have.lengthOf(rows);
    for (const [op, rule] of Object.entries(SPEC.rules)) {
      const start = first.get(op) ?? -1;
      const own = names.slice(start, start + rowCount(rule));
      expect(own.map((row) => row.op)).to.deep.equal(own.map(() => op));
      expect(own.map(({ name }) => name)).to.deep.equal([
        ...rule.refuse.map(([name]) => name),
        ...rule.may.map(([name]) => name),
        ...rule.accept.map(([name]) => name),
      ]);
    }
  });

  it('are counted by what was seen', () => {
    const counts = noCounts(2);
    const tally = tallyOf(counts);
    tally.note(0, true);
    tally.note(1, false);
    tally.note(1, false);
    tally.unjudged(1);
    expect(counts).to.deep.include({ rowsTrue: [1, 0], rowsFalse: [0, 2], rowsUnjudged: [0, 1] });
  });
});
