import { expect } from 'chai';
import type { ArgShape } from './index.ts';
import { SITES, SPEC } from './index.ts';
import { Judged, machineWith } from './judged.test.ts';

const shapes = Object.entries(SPEC.calls).flatMap(([op, { args }]) =>
  Object.entries(args).map(([name, shape]): [string, ArgShape] => [`${op}.${name}`, shape]),
);

const kindsOf = (shape: ArgShape): readonly string[] =>
  shape.is === 'ref' || shape.is === 'refs' || shape.is === 'address' ? shape.of : [];

/** One of everything. */
function withAll(): Judged {
  const judged = new Judged();
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  judged.make('kvmalloc', { bytes: 100 }, { memory: 8 * 64 });
  judged.make('kvmalloc', { bytes: 0 }, { memory: 16 });
  judged.make('sg_alloc_table_from_pages', { pages: [2], maxSegment: 64 }, { table: 1, segments: 2 });
  for (const table of [0])
    judged.make('sg_alloc_table_from_pages', { pages: [2], maxSegment: 128 }, { table, segments: 1 });
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 2 });
  const asked = { domain: 2, table: 1, direction: 'to_device' } as const;
  judged.make('dma_map_sg', asked, { table: 1, dma: 192, segments: [192, 64, 64, 64] });
  for (const client of [1, 0]) {
    judged.make('ion_client_create', {}, { client });
    judged.make('ion_alloc', { client, bytes: 1, heaps: ['iommu'], flags: 'uncached' }, { handle: 2, pages: [12 + client] });
    judged.make('gpu_context_create', { client }, { context: client });
    judged.make('gpu_bind', { context: client, handle: 2, access: 'both' }, { address: 320 });
  }
  judged.make('gpu_submit', { context: 1, at: 0, bytes: 9, access: 'read', tag: 1 }, { job: 1 });
  return judged;
}

const LIVE = {
  block: [2],
  memory: [8 * 64],
  table: [0, 1],
  domain: [2],
  mapping: [1],
  client: [0, 1],
  handle: [2],
  context: [0, 1],
  binding: [320],
  job: [1],
};

describe('SPEC', () => {
  it('names what is alive, by kind, as calls name it', () => {
    const { world } = withAll();
    const live = Object.keys(SPEC.kinds).map((kind) => [kind, SPEC.live(world, kind)]);
    expect(Object.fromEntries(live)).to.deep.equal(LIVE);
    const booted = SPEC.boot(machineWith({ occupied: [[0, 4]] }), true);
    for (const kind of Object.keys(LIVE)) expect(SPEC.live(booted, kind), kind).to.deep.equal([]);
  });

  it('names the places where things start, in bytes', () => {
    const { world } = withAll();
    const addresses = Object.keys(LIVE).map((kind) => [kind, SPEC.addresses(world, kind)]);
    const found = Object.fromEntries(addresses.filter(([, list]) => list?.length !== 0));
    expect(found).to.deep.equal({ block: [128], mapping: [192], binding: [320] });
  });

  it('is back where it was when everything is given back in the order of the closing calls', () => {
    const judged = withAll();
    for (const op of SPEC.closing) {
      const [name = '', shape] = Object.entries(SPEC.calls[op]?.args ?? {})[0] ?? [];
      for (const kind of shape === undefined ? [] : kindsOf(shape)) {
        for (const id of SPEC.live(judged.world, kind)) {
          expect(judged.undue(op as 'kvfree', { [name]: id } as { memory: number }), `${op} ${id}`).to.equal(
            undefined,
          );
          judged.make(op as 'kvfree', { [name]: id } as { memory: number }, {});
        }
      }
    }
    for (const kind of Object.keys(LIVE)) expect(SPEC.live(judged.world, kind), kind).to.deep.equal([]);
    const fresh = SPEC.columns(new Judged().world).map((column) => [...column]);
    expect(SPEC.columns(judged.world).map((column) => [...column])).to.deep.equal(fresh);
  });

  it('refers to kinds, limits and fields that there are', () => {
    const limits = SPEC.limits(machineWith());
    for (const [where, shape] of shapes) {
      for (const kind of kindsOf(shape)) expect(SPEC.kinds, where).to.have.property(kind);
      if (shape.is === 'address')
        for (const kind of shape.of) expect(SPEC.kinds[kind], where).to.have.property('address');
      const named = Object.entries(shape).filter(([key]) => ['to', 'unit', 'step', 'wild'].includes(key));
      for (const [, limit] of named)
        if (typeof limit === 'string') expect(limits, where).to.have.property(limit);
    }
    for (const { gives, sites = [] } of Object.values(SPEC.calls)) {
      expect(Object.keys(SITES)).to.include.members(sites);
      if (gives?.kind !== undefined)
        expect(gives.fields).to.have.property(SPEC.kinds[gives.kind]?.main ?? '');
    }
  });

  it('has limits that follow from the machine', () => {
    const limits = SPEC.limits(machineWith());
    const expected = {
      ioPages: 16,
      addressEnd: 1_088,
      blockPages: 4,
      bufferPages: 8,
      accessLines: 8,
      accessPages: 8,
    };
    expect(limits).to.include(expected);
    expect(SPEC.limits(machineWith({ pages: 5 }))['bufferPages']).to.equal(5);
  });
});
