import { expect } from 'chai';
import type { Args, Machine } from './index.ts';
import { SPEC } from './index.ts';
import { Judged } from './judged.test.ts';

const premise = (name: string): (typeof SPEC.premises)[number] =>
  SPEC.premises.find((each) => each.name === name) ?? expect.fail(`there is no premise ${name}`);

const holds = (name: string, judged: Judged, op = 'ion_alloc', args: Args = {}): boolean =>
  premise(name).holds(judged.world, { op, args });

function withClient(fields: Partial<Machine> = {}): Judged {
  const judged = new Judged(fields);
  judged.make('ion_client_create', {}, { client: 0 });
  return judged;
}

const BUFFER = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'uncached' } as const;

describe('PREMISES', () => {
  it('are about invariants that there are, and assume policies that there are', () => {
    const ids = SPEC.invariants.map(({ id }) => id);
    for (const { name, about, assumes = {}, text } of SPEC.premises) {
      expect(ids, name).to.include.members([...about]);
      expect(about, name).to.not.have.lengthOf(0);
      expect(text, name).to.match(/^\S.* .*[^.]$/);
      for (const [policy, value] of Object.entries(assumes))
        expect(SPEC.policies[policy]?.values, name).to.include(value);
    }
    const names = SPEC.premises.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('decide T1 only among contexts of two clients', () => {
    const judged = withClient();
    judged.make('ion_client_create', {}, { client: 1 });
    for (const context of [0, 2]) judged.make('gpu_context_create', { client: 0 }, { context });
    expect(holds('T1', judged)).to.equal(false);
    judged.make('gpu_context_destroy', { context: 2 }, {});
    judged.make('gpu_context_create', { client: 1 }, { context: 2 });
    expect(holds('T1', judged)).to.equal(true);
    judged.make('gpu_context_destroy', { context: 0 }, {});
    judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 0 });
    expect(holds('T1', judged), 'a domain has no client').to.equal(false);
  });

  it('decide T2 only with one client, who bound nothing', () => {
    const judged = new Judged();
    expect(holds('T2', judged)).to.equal(false);
    judged.make('ion_client_create', {}, { client: 1 });
    expect(holds('T2', judged)).to.equal(true);
    judged.make('ion_client_create', {}, { client: 0 });
    expect(holds('T2', judged)).to.equal(false);
    judged.make('ion_client_destroy', { client: 1 }, {});
    judged.make('ion_alloc', BUFFER, { handle: 1, pages: [3] });
    judged.make('gpu_context_create', { client: 0 }, { context: 0 });
    expect(holds('T2', judged)).to.equal(true);
    judged.make('gpu_bind', { context: 0, handle: 1, access: 'read' }, { address: 64 });
    expect(holds('T2', judged)).to.equal(false);
  });

  for (const name of ['T3', 'T4', 'T7']) {
    it(`decide ${name} only by buffers of the iommu heap alone, of clients that have a handle id left`, () => {
      const judged = withClient();
      expect(holds(name, judged, 'ion_alloc', BUFFER)).to.equal(true);
      expect(holds(name, judged, 'kvmalloc', { bytes: 1 })).to.equal(false);
      for (const heaps of [[], ['system'], ['iommu', 'system'], ['system-contig']])
        expect(holds(name, judged, 'ion_alloc', { ...BUFFER, heaps }), heaps.join()).to.equal(false);
      for (const client of [1, 9, -1]) {
        expect(holds(name, judged, 'ion_alloc', { ...BUFFER, client }), `${client}`).to.equal(false);
      }
      for (const handle of [1, 2]) judged.make('ion_alloc', BUFFER, { handle, pages: [handle] });
      expect(holds(name, judged, 'ion_alloc', BUFFER)).to.equal(false);
    });
  }

  const fits = (name: string, pages: number, fields: Partial<Machine> = {}): boolean =>
    holds(name, withClient(fields), 'ion_alloc', { ...BUFFER, bytes: pages * 64 });

  // Blocks of up to four pages. Four pages of buffer, one of list, one chunk.
  for (const name of ['T4', 'T7']) {
    it(`decide ${name} only by buffers that fit an empty machine, with list and table`, () => {
      expect([6, 5].map((pages) => fits(name, 4, { pages }))).to.deep.equal([true, false]);
      expect([10, 11].map((reserve) => fits(name, 4, { reserve }))).to.deep.equal([true, false]);
      expect(fits(name, 4, { occupied: [[0, 12]] }), 'whatever is occupied').to.equal(true);
      // 32 bytes an entry: the list of four pages takes two.
      const pageArrayEntryBytes = 32;
      const wide = [7, 6].map((pages) => fits(name, 4, { pages, pageArrayEntryBytes }));
      expect(wide).to.deep.equal([true, false]);
    });
  }

  // Ten pages take two of list and three chunks, eleven one chunk more.
  it('decide T4 by the list alone, which must fit one block', () => {
    expect([10, 11].map((pages) => fits('T4', pages))).to.deep.equal([true, false]);
    const fields = { pages: 64, pageArrayEntryBytes: 32, orderMax: 1 };
    expect([4, 5].map((pages) => fits('T4', pages, fields))).to.deep.equal([true, false]);
  });

  it('decide T7 by the whole buffer, which must fit one block', () => {
    expect([4, 5].map((pages) => fits('T7', pages))).to.deep.equal([true, false]);
    expect([4, 3].map((orderMax) => fits('T7', 16, { pages: 64, orderMax }))).to.deep.equal([true, false]);
    expect(
      [6, 5].map((pages) => fits('T7', 3, { pages })),
      'rounded up',
    ).to.deep.equal([true, false]);
  });

  it('decide T5 only where there is an uncached buffer, T6 only where there is none', () => {
    const judged = withClient();
    const both = (): boolean[] => ['T5', 'T6'].map((name) => holds(name, judged));
    expect(both()).to.deep.equal([false, true]);
    judged.make('ion_alloc', { ...BUFFER, flags: 'cached' }, { handle: 1, pages: [0] });
    expect(both()).to.deep.equal([false, true]);
    judged.make('ion_alloc', BUFFER, { handle: 2, pages: [5] });
    expect(both()).to.deep.equal([true, false]);
    judged.make('ion_free', { client: 0, handle: 2 }, {});
    expect(both()).to.deep.equal([false, true]);
  });

  it('decide zeroing and strictness by the call that is under way', () => {
    const judged = new Judged();
    const ops = ['ion_alloc', 'dma_unmap_sg', 'dma_free_coherent', 'dma_map_sg', 'ion_free'];
    expect(ops.filter((op) => holds('zeroing', judged, op))).to.deep.equal(['ion_alloc']);
    expect(ops.filter((op) => holds('strict', judged, op))).to.deep.equal([
      'dma_unmap_sg',
      'dma_free_coherent',
    ]);
    expect(premise('strict').assumes).to.deep.equal({ invalidation: 'strict' });
  });
});
