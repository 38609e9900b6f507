import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command, Script } from '../script.ts';
import { removePairs, removeRuns, truncate } from './commands.ts';
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
  it('offers what the last command does not need: all, halves, single ones; then what it needs', () => {
    expect(left(removeRuns, plain(5))).to.deep.equal([
      '4',
      '014',
      '234',
      '0124',
      '0134',
      '0234',
      '1234',
      '0123',
    ]);
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

  it('takes a removed result out of lists that name others besides', () => {
    const alloc = (as: string): Command => ({ op: 'alloc_pages', order: 0, as });
    const table = (pages: string[]): Command => ({ op: 'sg_alloc_table_from_pages', pages, maxSegment: 64 });
    const script = { format: 1, machine: {}, commands: [alloc('a'), alloc('b'), table(['a', 'b', 'a'])] };
    const offered = Array.from(removeRuns.candidates(script, SPEC), ({ commands }) => commands);
    expect(offered).to.deep.include([alloc('b'), table(['b'])]);
    expect(offered).to.deep.include([alloc('a'), table(['a', 'a'])]);
  });
});

describe('removePairs', () => {
  it('offers to remove every two commands that the last one does not need', () => {
    expect(left(removePairs, plain(4))).to.deep.equal(['23', '13', '03']);
    expect(left(removePairs, plain(2))).to.deep.equal([]);
    expect(left(removePairs, plain(100)), 'too many pairs').to.deep.equal([]);
  });
});
