import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { machineOf } from '../machine.ts';
import type { Command, Script } from '../script.ts';
import { shortage } from './shortage.ts';

const alloc = (as: string, order: number): Command => ({ op: 'alloc_pages', order, as });
const LAST: Command = { op: 'kvmalloc', bytes: 128, as: 'm' };

const offers = (commands: readonly Command[], machine: Script['machine'] = {}): Script[] => [
  ...shortage.candidates({ format: 1, machine, commands }, SPEC),
];

describe('a smaller machine instead of commands', () => {
  const offered = offers([alloc('a', 1), alloc('b', 0), LAST], { pages: 16 });

  it('is fewer pages without all that only takes some', () => {
    const alone = offered.filter(({ commands }) => commands.length === 1);
    expect(alone.map(({ machine }) => machine)).to.deep.include({ pages: 2 });
    for (const { commands } of alone) expect(commands[0]?.op).to.equal('kvmalloc');
  });

  it('is less of all, too', () => {
    const least = offered.find(({ machine }) => machine['pages'] === 2 && machine['orderMax'] === 0);
    expect(least?.machine).to.include({ vmallocPages: 2, contexts: 1, parked: 0 });
    expect(least?.machine).to.not.have.property('lineBytes');
  });

  it('is a step that fails where commands were needed to make it fail', () => {
    const faults = offered.flatMap(({ commands }) =>
      commands[0]?.fail === undefined ? [] : [commands[0].fail],
    );
    expect(faults).to.deep.include({ kmalloc: 1 }).and.deep.include({ vmalloc: 2 });
  });

  it('has as many pages less, or held, as a single command took', () => {
    const one = offered.filter(({ commands }) => commands.length === 2 && commands[0]?.as === 'b');
    expect(one.map(({ machine }) => machine)).to.deep.equal([
      { pages: 14 },
      { pages: 16, occupied: [[0, 2]] },
    ]);
  });

  it('holds the very pages that an occupant named', () => {
    const occupy: Command = { op: 'occupy', pfn: 5, count: 3, mobility: 'movable', tag: 1, as: 'o' };
    const maps = offers([occupy, LAST]).map(({ machine }) => machine.movable);
    expect(maps).to.deep.include([[5, 3]]);
    expect(
      offered.filter(({ machine }) => machine.movable !== undefined),
      'what could not be moved',
    ).to.deep.equal([]);
  });

  it('leaves alone what somebody uses, and is always a machine', () => {
    expect(
      offers([alloc('a', 1), { op: 'sg_alloc_table_from_pages', pages: ['a'], maxSegment: 64 }]),
    ).to.deep.equal([]);
    for (const { machine } of [...offered, ...offers([alloc('a', 0), LAST], { pages: 2, movable: [[0, 1]] })])
      expect(() => machineOf(SPEC, machine)).to.not.throw();
  });
});
