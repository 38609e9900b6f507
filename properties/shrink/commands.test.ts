import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command, Script } from '../script.ts';
import { removeExtras, removeRuns, truncate } from './commands.ts';
import type { Pass } from './pass.ts';

const plain = (length: number): Script => ({
  format: 1,
  machine: {},
  commands: Array.from({ length }, (_, at): Command => ({ op: 'alloc_pages', order: at })),
});

/** What a pass offers, by the orders that are left. */
const left = (pass: Pass, script: Script): string[] =>
  Array.from(pass.candidates(script, SPEC), ({ commands }) => commands.map(({ order }) => order).join(''));

describe('truncate', () => {
  it('offers shorter and shorter cuts of the end', () => {
    expect(left(truncate, plain(8))).to.deep.equal(['0123', '012345', '0123456']);
    expect(left(truncate, plain(1))).to.deep.equal([]);
  });
});

describe('removeRuns', () => {
  it('offers runs of half, a quarter, and so on to single commands, each place of each', () => {
    expect(left(removeRuns, plain(4))).to.deep.equal(['01', '23', '012', '013', '023', '123']);
    expect(left(removeRuns, plain(1))).to.deep.equal(['']);
  });

  it('takes what needs a removed result away too, however far', () => {
    const script: Script = {
      format: 1,
      machine: {},
      commands: [
        { op: 'ion_client_create', as: 'c' },
        { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'cached', as: 'h' },
        { op: 'gpu_context_create', client: 'c', as: 'g' },
        { op: 'gpu_bind', context: 'g', handle: 'h', access: 'both', as: 'm' },
        { op: 'device_write', through: 'g', at: { in: 'm', offset: 0 }, bytes: 16, tag: 1 },
      ],
      schedule: [{ in: 'm', point: 1, to: 'b' }],
    };
    const offered = [...removeRuns.candidates(script, SPEC)];
    const lengths = offered.map(({ commands }) => commands.length);
    expect(Math.min(...lengths), 'without the client nothing is left').to.equal(0);
    const withoutBind = offered.find(({ commands }) => commands.at(-1)?.op === 'gpu_context_create');
    expect(withoutBind).to.not.have.property('schedule');
  });
});

describe('removeExtras', () => {
  it('takes one fault, actor or preemption away at a time, and the schedule as a whole', () => {
    const script: Script = {
      format: 1,
      machine: {},
      commands: [
        { op: 'alloc_pages', order: 0, as: 'a', actor: 'x', fail: { page: 1 } },
        { op: 'alloc_pages', order: 0, as: 'b' },
      ],
      schedule: [
        { in: 'a', point: 1, to: 'y' },
        { in: 'b', point: 1, to: 'y' },
      ],
    };
    const extras = Array.from(removeExtras.candidates(script, SPEC), ({ commands, schedule }) => [
      commands[0]?.fail !== undefined,
      commands[0]?.actor,
      schedule?.map((preemption) => preemption.in).join(''),
    ]);
    expect(extras).to.deep.equal([
      [true, 'x', undefined],
      [true, 'x', 'b'],
      [true, 'x', 'a'],
      [false, 'x', 'ab'],
      [true, undefined, 'ab'],
    ]);
  });

  it('offers nothing where there is nothing extra', () => {
    expect([...removeExtras.candidates(plain(3), SPEC)]).to.deep.equal([]);
  });
});
