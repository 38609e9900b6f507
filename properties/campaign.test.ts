import { expect } from 'chai';
import { type Machine, type Reply, SPEC, type World } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { infect, ZOO } from '../targets/zoo/index.ts';
import {
  type Campaign,
  type ChunkResult,
  Collector,
  chunkCount,
  type Outcome,
  runChunk,
} from './campaign.ts';
import { CLOAKROOM, Cloakroom, type Cloaks, type Room } from './cloakroom.test.ts';
import { CHUNK_SCRIPTS } from './generate.ts';

const SCRIPTS = 5 * CHUNK_SCRIPTS - 30;
const CHUNKS = [0, 1, 2, 3, 4];

/** A cloakroom that goes wrong when it is asked for the fourth hook the n-th time since it was built. */
class Seldom extends Cloakroom {
  override give(op: string, ticket: number): Reply {
    const reply = super.give(op, ticket);
    const isRare = op === 'brush' && 'ok' in reply && this.coats.join() === '2,2,1';
    return isRare ? { errno: 'EIO' } : reply;
  }
}

const campaign = (target: Cloakroom, premise?: string): Campaign<Room, Cloaks> => ({
  spec: CLOAKROOM,
  target,
  seed: 3,
  plan: {},
  ...(premise === undefined ? {} : { premise }),
});

const runAll = (target: Cloakroom): ChunkResult[] =>
  CHUNKS.map((chunk) => runChunk(campaign(target), chunk, SCRIPTS));

function collected(results: readonly ChunkResult[], order: readonly number[]): Outcome {
  const collector = new Collector(CLOAKROOM);
  for (const chunk of order)
    collector.add(chunk, results[chunk] ?? expect.fail(`there is no chunk ${chunk}`));
  return structuredClone(collector.outcome());
}

/** Every order of some numbers. */
function orders(numbers: readonly number[]): number[][] {
  if (numbers.length === 0) return [[]];
  return numbers.flatMap((first) =>
    orders(numbers.filter((each) => each !== first)).map((rest) => [first, ...rest]),
  );
}

describe('chunkCount', () => {
  it('is rounded up', () => {
    expect([0, 1, 256, 257].map(chunkCount)).to.deep.equal([0, 1, 1, 2]);
  });
});

describe('runChunk', () => {
  it('runs the scripts of its chunk alone, the last one cut short', () => {
    const counts = runAll(new Cloakroom()).map((result) => result.counts.scripts);
    expect(counts).to.deep.equal([256, 256, 256, 256, 226]);
  }).timeout(20_000);

  it('gives the same for a chunk whatever ran before it on the same target', () => {
    const target = builtin();
    const chunk = (number: number): ChunkResult =>
      runChunk<Machine, World>({ spec: SPEC, target, seed: 1, plan: {} }, number, 600);
    const first = chunk(2);
    chunk(0);
    expect(chunk(2)).to.deep.equal(first);
  }).timeout(20_000);

  it('ends at its first finding', () => {
    const bug = ZOO.find(({ name }) => name === 'no-merge') ?? expect.fail('there is no such bug');
    const { counts, found } = runChunk<Machine, World>(
      { spec: SPEC, target: infect(bug), seed: 1, plan: {} },
      0,
      1000,
    );
    expect(found?.finding.serves).to.equal('S1');
    expect(counts.scripts).to.equal((found?.index ?? -1) + 1);
  });

  it('passes over findings for which the premise does not hold', () => {
    class Full extends Cloakroom {
      override hang(): Reply {
        return { errno: 'ENOSPC' };
      }
    }
    expect(runChunk(campaign(new Full()), 0, 20).found?.index).to.equal(0);
    expect(runChunk(campaign(new Full(), 'crowded'), 0, 20)).to.not.have.property('found');
    class Late extends Cloakroom {
      override hang(colour: number): Reply {
        return this.coats.filter((coat) => coat > 0).length === 2 ? { errno: 'ENOMEM' } : super.hang(colour);
      }
    }
    expect(runChunk(campaign(new Late(), 'crowded'), 0, 50).found?.finding.premise).to.equal('crowded');
  });
});

describe('Collector', () => {
  it('gives the same outcome for every order of chunks', () => {
    const results = runAll(new Seldom());
    expect(results.filter(({ found }) => found !== undefined).length, 'chunks with a finding').to.be.above(1);
    const expected = collected(results, CHUNKS);
    for (const order of orders(CHUNKS))
      expect(collected(results, order), order.join()).to.deep.equal(expected);
  }).timeout(20_000);

  it('counts every script once when nothing is found', () => {
    const results = runAll(new Cloakroom());
    for (const order of [CHUNKS, CHUNKS.toReversed(), [2, 0, 4, 1, 3]]) {
      const { counts, found } = collected(results, order);
      expect(found).to.equal(undefined);
      expect(counts.scripts).to.equal(SCRIPTS);
      expect(counts.commands).to.equal(results.reduce((sum, result) => sum + result.counts.commands, 0));
    }
  }).timeout(20_000);

  it('takes the finding of the lowest index, and knows which chunks no longer matter', () => {
    const clean = runChunk(campaign(new Cloakroom()), 0, 10);
    const found = (index: number): ChunkResult => ({
      counts: clean.counts,
      found: {
        index,
        script: { format: 1, machine: {}, commands: [] },
        finding: {
          kind: 'crash',
          command: 0,
          call: { op: '', args: {} },
          serves: '',
          clause: '',
          layer: '',
          detail: '',
        },
      },
    });
    const collector = new Collector(CLOAKROOM);
    const ends = [collector.end];
    const early: (number | undefined)[] = [];
    for (const [chunk, result] of [
      [3, found(900)],
      [1, found(300)],
      [2, clean],
      [0, clean],
    ] as const) {
      collector.add(chunk, result);
      ends.push(collector.end);
      early.push(collector.outcome().found?.index);
    }
    expect(early, 'what an interruption then would leave').to.deep.equal([900, 300, 300, 300]);
    expect(ends).to.deep.equal([Number.POSITIVE_INFINITY, 4, 2, 2, 2]);
    expect(collector.outcome().found?.index).to.equal(300);
    expect(collector.outcome().counts.scripts, 'chunks 0 and 1').to.equal(20);
    expect(collector.progress.scripts, 'everything that ran').to.equal(40);
  });
});
