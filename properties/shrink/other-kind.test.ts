import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command } from '../script.ts';
import { otherKind } from './other-kind.ts';

const offers = (commands: readonly Command[]): (readonly Command[])[] =>
  Array.from(otherKind.candidates({ format: 1, machine: {}, commands }, SPEC), (script) => script.commands);

const DEVICE: readonly Command[] = [
  { op: 'iommu_domain_alloc', type: 'dma', as: 'd' },
  { op: 'iommu_attach_device', domain: 'd', device: 0, as: 'a' },
];
const PAGES: readonly Command[] = [
  { op: 'alloc_pages', order: 0, as: 'b' },
  { op: 'sg_alloc_table_from_pages', pages: ['b'], maxSegment: 64, as: 't' },
];
const map = (as: string): Command => ({
  op: 'dma_map_sg',
  device: 'a',
  table: 't',
  direction: 'bidirectional',
  as,
});
const coherent = (as: string): Command => ({ op: 'dma_alloc_coherent', device: 'a', bytes: 64, as });

describe('another kind of thing', () => {
  it('replaces all that make the one, all that use it and what gives it back, and drops what was made for it', () => {
    const read: Command = { op: 'device_read', through: 'a', at: { in: 'm', offset: 16 }, bytes: 16 };
    const from = [...DEVICE, ...PAGES, map('m'), read, { op: 'dma_unmap_sg', mapping: 'm' }, map('n')];
    expect(offers(from)).to.deep.include([
      ...DEVICE,
      coherent('coherent1'),
      { ...read, at: { in: 'coherent1', offset: 16 } },
      { op: 'dma_free_coherent', coherent: 'coherent1' },
      coherent('coherent2'),
    ]);
  });

  it('offers nothing where something can only be done with the one', () => {
    const sync: Command = { op: 'dma_sync_sg_for_cpu', mapping: 'm' };
    const ops = offers([...DEVICE, ...PAGES, map('m'), sync]).map((commands) => commands.map(({ op }) => op));
    for (const each of ops) expect(each).to.include.members(['dma_map_sg', 'dma_sync_sg_for_cpu']);
  });

  it('is not tried in long scripts', () => {
    expect(offers(Array.from({ length: 20 }, (_, at) => coherent(`c${at}`)))).to.deep.equal([]);
  });
});
