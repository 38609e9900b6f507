import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command, Script } from '../script.ts';
import { slice } from './slice.ts';

const script = (commands: readonly Command[], more: Partial<Script> = {}): Script => ({
  format: 1,
  machine: {},
  commands,
  ...more,
});

const alloc = (as: string): Command => ({ op: 'alloc_pages', order: 0, as });
const free = (block: string): Command => ({ op: 'free_pages', block });
const table = (as: string, ...pages: string[]): Command => ({
  op: 'sg_alloc_table_from_pages',
  pages,
  maxSegment: 64,
  as,
});

const offers = (from: Script): string[] =>
  Array.from(slice.candidates(from, SPEC), ({ commands }) =>
    commands.map(({ op, as }) => as ?? op).join(' '),
  );

describe('the dependence slice', () => {
  it('is what the last command needs, then more and more of what uses the same', () => {
    const commands = [
      alloc('a'),
      alloc('b'),
      alloc('z'),
      table('s', 'a', 'b'),
      table('t', 'a'),
      free('b'),
      free('a'),
    ];
    expect(offers(script(commands))).to.deep.equal([
      'a free_pages',
      'a b s t free_pages',
      'a b s t free_pages free_pages',
      'a b s t free_pages free_pages',
    ]);
  });

  it('comes with and without what names nothing', () => {
    expect(offers(script([alloc('a'), { op: 'drain' }, free('a')])).slice(0, 2)).to.deep.equal([
      'a free_pages',
      'a drain free_pages',
    ]);
  });

  it('keeps what a preemption names', () => {
    const commands = [alloc('a'), alloc('b'), { ...free('b'), actor: 'x' }];
    const [first] = slice.candidates(script(commands, { schedule: [{ in: 'a', point: 1, to: 'x' }] }), SPEC);
    expect(first?.commands).to.deep.equal(commands);
  });

  it('of nothing is nothing', () => {
    for (const each of slice.candidates(script([]), SPEC)) expect(each.commands).to.deep.equal([]);
  });
});
