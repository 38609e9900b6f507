import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Argument, Command } from '../script.ts';
import { leastArguments, smallerArguments } from './arguments.ts';

/** What the pass offers for one argument of a single command. */
function offers(command: Command, name: string): Argument[] {
  const script = { format: 1, machine: {}, commands: [command] };
  const offered = Array.from(
    smallerArguments.candidates(script, SPEC),
    ({ commands }) => commands[0]?.[name],
  );
  return offered.filter((value): value is Argument => value !== undefined && value !== command[name]);
}

const MAP: Command = {
  op: 'iommu_map',
  domain: 'd',
  iova: 0,
  phys: { in: 'b', offset: 0 },
  bytes: 64,
  prot: 'both',
};

describe('smaller arguments', () => {
  it('are smaller numbers, from the least', () => {
    const [least, ...others] = offers({ op: 'alloc_pages', order: 3 }, 'order');
    expect(least).to.equal(0);
    expect(others).to.include(2);
    expect(Math.max(...others.map(Number))).to.be.below(3);
  });

  it('are whole units, and the next one above a ragged size', () => {
    const values = offers({ op: 'kvmalloc', bytes: 300 }, 'bytes');
    for (const value of values) expect(Number(value) % 64).to.equal(0);
    expect(values).to.include.members([64, 256, 320]);
  });

  it('are earlier words', () => {
    expect(offers({ ...MAP, prot: 'write' }, 'prot')).to.deep.equal(['both', 'read']);
    expect(offers(MAP, 'prot')).to.deep.equal([]);
  });

  it('are places nearer to the start, in steps', () => {
    const values = offers({ ...MAP, phys: { in: 'b', offset: 192 } }, 'phys');
    expect(values).to.deep.include({ in: 'b', offset: 0 }).and.deep.include({ in: 'b', offset: 128 });
    for (const value of values) expect(value).to.have.property('in', 'b');
  });

  it('are smaller addresses where nobody named a result', () => {
    const write = { op: 'device_write', through: 0, at: 64, bytes: 16, tag: 1 };
    expect(offers(write, 'at')).to.include.members([0, 48]);
  });

  it('are shorter lists, never empty ones', () => {
    const table = { op: 'sg_alloc_table_from_pages', pages: ['a', 'b', 'c'], maxSegment: 64 };
    expect(offers(table, 'pages')).to.deep.equal([
      ['b', 'c'],
      ['a', 'c'],
      ['a', 'b'],
    ]);
    expect(offers({ ...table, pages: ['a'] }, 'pages')).to.deep.equal([]);
  });

  it('leave names, literals and unknown calls alone', () => {
    expect(offers({ op: 'ion_free', client: 'c', handle: '0x7' }, 'handle')).to.deep.equal([]);
    expect(offers({ op: 'no_such_call', x: 7 }, 'x')).to.deep.equal([]);
  });
});

describe('least arguments', () => {
  it('are all at once, then halves, then single ones', () => {
    const commands: Command[] = [
      { op: 'alloc_pages', order: 2, as: 'b' },
      { ...MAP, prot: 'read', phys: { in: 'b', offset: 64 } },
    ];
    const offered = Array.from(
      leastArguments.candidates({ format: 1, machine: {}, commands }, SPEC),
      (script) => [script.commands[0]?.['order'], script.commands[1]?.['phys'], script.commands[1]?.['prot']],
    );
    const near = { in: 'b', offset: 0 };
    const far = { in: 'b', offset: 64 };
    expect(offered).to.deep.equal([
      [0, near, 'both'],
      [2, near, 'both'],
      [0, near, 'read'],
      [2, far, 'both'],
      [2, near, 'read'],
      [0, far, 'read'],
    ]);
  });

  it('are one item of a list, the first word, and nothing where all is least', () => {
    const alloc = { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['system', 'iommu'], flags: 'uncached' };
    const [first] = leastArguments.candidates({ format: 1, machine: {}, commands: [alloc] }, SPEC);
    expect(first?.commands).to.deep.equal([{ ...alloc, heaps: ['iommu'] }]);
    expect([...leastArguments.candidates({ format: 1, machine: {}, commands: [MAP] }, SPEC)]).to.deep.equal(
      [],
    );
  });
});
