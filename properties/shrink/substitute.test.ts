import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Command } from '../script.ts';
import { substitute } from './substitute.ts';

const offers = (commands: readonly Command[]): (readonly Command[])[] =>
  Array.from(substitute.candidates({ format: 1, machine: {}, commands }, SPEC), (script) => script.commands);

const DOMAIN: Command = { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'd' };
const BLOCK: Command = { op: 'alloc_pages', order: 0, as: 'b' };
const TABLE: Command = { op: 'sg_alloc_table_from_pages', pages: ['b'], maxSegment: 64, as: 't' };

describe('other calls', () => {
  it('do without what was made for a command alone, and keep what it said', () => {
    const map: Command = { op: 'iommu_map_sg', domain: 'd', iova: 64, table: 't', prot: 'read' };
    const shorter = offers([DOMAIN, BLOCK, TABLE, map]).filter(({ length }) => length === 3);
    expect(shorter).to.deep.include([
      DOMAIN,
      BLOCK,
      { op: 'iommu_map', domain: 'd', iova: 64, phys: { in: 'b', offset: 0 }, bytes: 64, prot: 'read' },
    ]);
  });

  it('give what is used later, of a kind that its users take', () => {
    const attach: Command = { op: 'iommu_attach_device', domain: 'd', device: 0, as: 'a' };
    const map: Command = { op: 'dma_map_sg', device: 'a', table: 't', direction: 'bidirectional', as: 'm' };
    const read: Command = { op: 'device_read', through: 'a', at: { in: 'm', offset: 16 }, bytes: 16 };
    const offered = offers([DOMAIN, attach, BLOCK, TABLE, map, read]);
    expect(offered).to.deep.include([
      DOMAIN,
      attach,
      { op: 'dma_alloc_coherent', device: 'a', bytes: 64, as: 'coherent1' },
      { ...read, at: { in: 'coherent1', offset: 16 } },
    ]);
  });

  it('replace the last two by one that leads to the same', () => {
    const client: Command = { op: 'ion_client_create', as: 'c' };
    const create: Command = { op: 'gpu_context_create', client: 'c', as: 'g' };
    const destroy: Command = { op: 'gpu_context_destroy', context: 'g' };
    const offered = offers([client, create, destroy, { ...create, as: 'h' }]).filter(
      ({ length }) => length === 3,
    );
    expect(offered.map((commands) => commands.at(-1)?.op))
      .to.include('device_probe')
      .and.not.include('ion_query');
  });

  it('replace what gives something back, and all that it takes until that shows', () => {
    const client = (as: string): Command => ({ op: 'ion_client_create', as });
    const create = (owner: string, as: string): Command => ({ op: 'gpu_context_create', client: owner, as });
    const before = [client('c'), create('c', 'g')];
    const after = [{ op: 'ion_client_destroy', client: 'c' }, client('d'), create('d', 'h')];
    const probe: Command = { op: 'device_probe', through: 'g' };
    expect(offers([...before, ...after])).to.deep.include([...before, probe]);
    const query: Command = { op: 'ion_query', client: 'c' };
    expect(offers([...before, query, ...after.slice(1)]), 'nothing is given back').to.not.deep.include([
      ...before,
      probe,
    ]);
  });

  it('are not needed for an address that nobody has to have made', () => {
    const submit = {
      op: 'gpu_submit',
      context: 'g',
      at: { in: 'm', offset: 64 },
      bytes: 16,
      access: 'write',
      tag: 1,
    };
    const before: Command[] = [
      { op: 'ion_client_create', as: 'c' },
      { op: 'gpu_context_create', client: 'c', as: 'g' },
      { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'uncached', as: 'h' },
      { op: 'gpu_bind', context: 'g', handle: 'h', access: 'both', as: 'm' },
    ];
    expect(offers([...before, submit])).to.deep.include([...before.slice(0, 2), { ...submit, at: 0 }]);
  });

  it('are not tried in long scripts', () => {
    expect(offers(Array.from({ length: 20 }, (_, at) => ({ ...BLOCK, as: `b${at}` })))).to.deep.equal([]);
  });
});
