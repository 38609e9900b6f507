import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command, Script } from '../script.ts';
import { redistribute } from './redistribute.ts';

const offers = (commands: readonly Command[], machine: Script['machine'] = {}): Script[] => [
  ...redistribute.candidates({ format: 1, machine, commands }, SPEC),
];
const kvmalloc = (as: string, bytes: number): Command => ({ op: 'kvmalloc', bytes, as });
const LAST: Command = { op: 'alloc_pages', order: 0 };

describe('redistribute', () => {
  it('drops one of two and gives the other its number: the sum, twice its own, a unit more', () => {
    const offered = offers([kvmalloc('a', 64), kvmalloc('b', 150), LAST]);
    for (const { commands } of offered) expect(commands).to.have.lengthOf(2);
    expect(offered.map(({ commands }) => [commands[0]?.as, commands[0]?.['bytes']])).to.deep.equal([
      ['b', 256],
      ['b', 384],
      ['a', 256],
      ['a', 128],
    ]);
  });

  it('adds pages where it is said how many there are', () => {
    const pages = offers([kvmalloc('a', 64), kvmalloc('b', 64), LAST], { pages: 7 }).map(
      ({ machine }) => machine['pages'],
    );
    expect(new Set(pages)).to.deep.equal(new Set([7, 8, 9, 11, 15]));
  });

  it('takes the one that goes out of lists, and offers nothing without what fails', () => {
    const alloc = (as: string): Command => ({ op: 'alloc_pages', order: 0, as });
    const table: Command = { op: 'sg_alloc_table_from_pages', pages: ['a', 'b'], maxSegment: 64 };
    expect(offers([alloc('a'), alloc('b'), table]).map(({ commands }) => commands)).to.deep.include([
      { op: 'alloc_pages', order: 1, as: 'b' },
      { ...table, pages: ['b'] },
    ]);
    const freed = offers([alloc('a'), alloc('b'), { op: 'free_pages', block: 'a' }]);
    expect(new Set(freed.map(({ commands }) => commands[0]?.as))).to.deep.equal(new Set(['a']));
    expect(offers([kvmalloc('a', 64), { op: 'drain' }, LAST])).to.deep.equal([]);
  });
});
