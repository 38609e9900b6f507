import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command } from '../script.ts';
import { repoint } from './repoint.ts';

const offers = (commands: readonly Command[]): (readonly Command[])[] =>
  Array.from(repoint.candidates({ format: 1, machine: {}, commands }, SPEC), (script) => script.commands);

const alloc = (as: string): Command => ({ op: 'alloc_pages', order: 0, as });
const free = (block: string): Command => ({ op: 'free_pages', block });

describe('re-point references', () => {
  it('uses another result of the same kind instead, and drops the call that made the first', () => {
    expect(offers([alloc('a'), alloc('b'), free('b'), free('a')])).to.deep.equal([
      [alloc('b'), free('b'), free('b')],
      [alloc('a'), free('a'), free('a')],
    ]);
  });

  it('uses one that is made later from there on, and drops what came before', () => {
    expect(offers([alloc('a'), free('a'), alloc('b'), free('b'), free('a')])).to.deep.equal([
      [alloc('b'), free('b'), free('b')],
      [alloc('a'), free('a'), free('a'), free('a')],
    ]);
  });

  it('uses one of another kind that all users take', () => {
    const kmalloc: Command = { op: 'kmalloc', bytes: 64, as: 'k' };
    const kvmalloc: Command = { op: 'kvmalloc', bytes: 64, as: 'm' };
    const kvfree = (memory: string): Command => ({ op: 'kvfree', memory });
    expect(offers([kmalloc, kvmalloc, kvfree('m')])).to.deep.equal([[kmalloc, kvfree('k')]]);
    expect(offers([kmalloc, kvmalloc, { op: 'kfree', memory: 'k' }])).to.deep.equal([]);
  });

  it('uses none of another kind, and leaves alone what nobody uses', () => {
    expect(offers([alloc('a'), { op: 'ion_client_create', as: 'c' }, free('a')])).to.deep.equal([]);
  });

  it('keeps fields and offsets', () => {
    const write = { op: 'device_write', through: 'm.table', at: { in: 'm', offset: 16 }, bytes: 16, tag: 1 };
    const map = (as: string): Command => ({
      op: 'dma_map_sg',
      device: 'd',
      table: 't',
      direction: 'to_device',
      as,
    });
    const [first] = offers([map('n'), map('m'), write]).filter(([command]) => command?.as === 'n');
    expect(first?.at(-1)).to.deep.equal({ ...write, through: 'n.table', at: { in: 'n', offset: 16 } });
  });
});
