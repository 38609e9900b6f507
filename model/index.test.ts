import { expect } from 'chai';
import type { ArgShape } from './index.ts';
import { SITES, SPEC } from './index.ts';
import { Judged, machineWith } from './judged.test.ts';

const shapes = Object.entries(SPEC.calls).flatMap(([op, { args }]) =>
  Object.entries(args).map(([name, shape]): [string, ArgShape] => [`${op}.${name}`, shape]),
);

const kindsOf = (shape: ArgShape): readonly string[] =>
  shape.is === 'ref' || shape.is === 'refs' || shape.is === 'address' ? shape.of : [];

/** One of everything; two clients with the same ids. Kernel pages 32 to 47 are vmalloc's, then 16 of each client. */
function withAll(): Judged {
  const judged = new Judged({ pages: 32, contexts: 4 });
  judged.make('alloc_pages', { order: 1 }, { pfn: 2 });
  judged.make('alloc_pages', { order: 1 }, { pfn: 4 });
  judged.make('split_page', { block: 4 }, { pfn: 4, count: 2 });
  judged.make('occupy', { pfn: 6, count: 2, mobility: 'unmovable', tag: 1 }, { occupant: 1 });
  judged.make('occupy', { pfn: 20, count: 1, mobility: 'movable', tag: 1 }, { occupant: 3 });
  judged.make('kmalloc', { bytes: 8 }, { memory: 9 * 64 + 8 });
  judged.make('vmalloc', { bytes: 100 }, { memory: 41 * 64 });
  judged.make('kvmalloc', { bytes: 100 }, { memory: 16 * 64 });
  judged.make('kvmalloc', { bytes: 0 }, { memory: 16 });
  judged.make('vmap', { pages: [2] }, { address: 33 * 64 });
  for (const table of [1, 0])
    judged.make('sg_alloc_table_from_pages', { pages: [2], maxSegment: 128 }, { table, segments: 1 });
  judged.make('iommu_domain_alloc', { type: 'dma' }, { domain: 2 });
  judged.make('iommu_domain_alloc', { type: 'unmanaged' }, { domain: 3 });
  judged.make('iommu_map', { domain: 3, iova: 640, phys: 128, bytes: 128, prot: 'read' }, { iova: 640 });
  judged.make('iommu_attach_device', { domain: 2, device: 1 }, { device: 5 });
  const asked = { device: 5, table: 1, direction: 'to_device' } as const;
  judged.make('dma_map_sg', asked, { table: 1, dma: 192, segments: [192, 64, 64, 64] });
  judged.make('dma_alloc_coherent', { device: 5, bytes: 64 }, { cpu: 37 * 64, dma: 512, pages: [11] });
  for (const client of [1, 0]) {
    judged.make('ion_client_create', {}, { client });
    const buffer = { client, bytes: 1, heaps: ['iommu'], flags: 'uncached' } as const;
    judged.make('ion_alloc', buffer, { handle: 2, pages: [12 + client] });
    judged.make('ion_share', { client, handle: 2 }, { fd: 3 });
    const user = { address: (48 + 16 * client) * 64 };
    judged.make('ion_mmap', { client, fd: 3, offset: 0, bytes: 1 }, user);
    judged.make('ion_map_kernel', { client, handle: 2 }, { handle: 2, address: (44 + 2 * client) * 64 });
    judged.make('gpu_context_create', { client }, { context: client });
    judged.make('gpu_bind', { context: client, handle: 2, access: 'both' }, { address: 320 });
  }
  judged.make('gpu_submit', { context: 1, at: 0, bytes: 9, access: 'read', tag: 1 }, { job: 1 });
  return judged;
}

const LIVE = {
  block: [2],
  split: [4],
  occupant: [1, 3],
  object: [9 * 64 + 8],
  area: [41 * 64],
  memory: [16 * 64],
  vmap: [33 * 64],
  table: [0, 1],
  domain: [2, 3],
  attachment: [5],
  range: [640, 704],
  mapping: [1],
  coherent: [37 * 64],
  client: [0, 1],
  handle: [2],
  fd: [3],
  kernel_map: [2],
  user_map: [48 * 64, 64 * 64],
  context: [0, 1],
  binding: [320],
  job: [1],
};

/** Answers of closing calls that have some: what there is of each. */
const CLOSED: Readonly<Record<string, object>> = {
  ...Object.fromEntries(SPEC.closing.map((op) => [op, {}])),
  dma_unmap_sg: { flushes: 0 },
  dma_free_coherent: { flushes: 0 },
};

/** The arguments with which a closing call is due: everything of the first kind that it takes, or none. */
function closingArgs({ world }: Judged, op: string): object[] {
  const [argument] = Object.entries(SPEC.calls[op]?.args ?? {});
  if (argument === undefined) return [{}];
  const [name, shape] = argument;
  return kindsOf(shape)
    .slice(0, 1)
    .flatMap((kind) => SPEC.live(world, kind))
    .map((id) => ({ [name]: id }));
}

describe('SPEC', () => {
  it('names what is alive, by kind, as calls name it', () => {
    const { world } = withAll();
    const live = Object.keys(SPEC.kinds).map((kind) => [kind, SPEC.live(world, kind)]);
    expect(Object.fromEntries(live)).to.deep.equal(LIVE);
    const booted = SPEC.boot(machineWith({ occupied: [[0, 4]], movable: [[5, 1]] }), true);
    for (const kind of Object.keys(LIVE)) expect(SPEC.live(booted, kind), kind).to.deep.equal([]);
  });

  it('names the places where things start, in bytes', () => {
    const { world } = withAll();
    const starts = (side?: 'cpu'): object => {
      const addresses = Object.keys(LIVE).map((kind) => [kind, SPEC.addresses(world, kind, side)]);
      return Object.fromEntries(addresses.filter(([, list]) => list?.length !== 0));
    };
    const device = {
      block: [128, 256, 320],
      vmap: [33 * 64],
      range: [640, 704],
      mapping: [192],
      coherent: [512],
      kernel_map: [44 * 64, 46 * 64],
      user_map: LIVE.user_map,
      binding: [320],
    };
    expect(starts()).to.deep.equal(device);
    expect(starts('cpu')).to.deep.equal({ ...device, coherent: LIVE.coherent });
  });

  it('is back where it was when everything is given back in the order of the closing calls', () => {
    const judged = withAll();
    const made: string[] = [];
    for (const op of SPEC.closing) {
      for (const args of closingArgs(judged, op)) {
        judged.make(op as 'kvfree', args as { memory: number }, CLOSED[op] as object);
        made.push(op);
      }
    }
    expect([...new Set(made)], 'all of them are needed').to.deep.equal(SPEC.closing);
    for (const kind of Object.keys(LIVE)) expect(SPEC.live(judged.world, kind), kind).to.deep.equal([]);
    judged.expectBooted();
  });

  it('refers to kinds, limits and fields that there are', () => {
    const limits = SPEC.limits(machineWith());
    for (const [where, shape] of shapes) {
      for (const kind of kindsOf(shape)) expect(SPEC.kinds, where).to.have.property(kind);
      if (shape.is === 'address')
        for (const kind of shape.of) expect(SPEC.kinds[kind], where).to.have.property('address');
      if (shape.is === 'address' && shape.side !== 'cpu')
        for (const kind of shape.of) expect(['user_map', 'kernel_map', 'vmap'], where).to.not.include(kind);
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
      lastPage: 15,
      lastDevice: 1,
    };
    expect(limits).to.include(expected);
    expect(SPEC.limits(machineWith({ pages: 5 }))['bufferPages']).to.equal(5);
  });
});
