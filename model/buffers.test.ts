import { expect } from 'chai';
import {
  bufferOf,
  bufferOfFd,
  endClient,
  endContext,
  endJob,
  endKernelMap,
  freeHandle,
  handleAt,
  handleFor,
  handlesOf,
  isClient,
  isFreeHandle,
} from './buffers.ts';
import { Judged } from './judged.test.ts';
import type { World } from './world.ts';

const GARBAGE = [-1, 0.5, 3, 99, 2 ** 40, 2 ** 64];

/**
 * Clients 0 and 1 with up to two handles and two descriptors each. A buffer of pages 9 and 4 is behind handle 2 and
 * descriptor 1 of client 1, and behind handle 1 of client 0.
 */
function withBuffer(): Judged {
  const judged = new Judged({ fds: 2, clients: 3 });
  for (const client of [0, 1]) judged.make('ion_client_create', {}, { client });
  const asked = { client: 1, bytes: 128, heaps: ['iommu'], flags: 'uncached' } as const;
  judged.make('ion_alloc', asked, { handle: 2, pages: [9, 4] });
  judged.make('ion_share', { client: 1, handle: 2 }, { fd: 1 });
  judged.make('fd_send', { client: 1, fd: 1, to: 0 }, { fd: 0 });
  judged.make('ion_import', { client: 0, fd: 0 }, { handle: 1 });
  judged.make('fd_close', { client: 0, fd: 0 }, {});
  return judged;
}

describe('ids of users', () => {
  const { world } = withBuffer();

  it('are those that exist, whatever is asked', () => {
    expect([0, 1, 2].map((client) => isClient(world, client))).to.deep.equal([true, true, false]);
    for (const id of GARBAGE) expect(isClient(world, id), `${id}`).to.equal(false);
  });

  it('lead to page 0 of a buffer, or to nothing', () => {
    expect(bufferOf(world, 1, 2)).to.equal(9);
    expect(bufferOf(world, 0, 1)).to.equal(9);
    expect(bufferOfFd(world, 1, 1)).to.equal(9);
    for (const id of [0, ...GARBAGE]) {
      expect([bufferOf(world, 1, id), bufferOfFd(world, 1, id)], `${id}`).to.deep.equal([
        undefined,
        undefined,
      ]);
    }
    for (const client of [2, ...GARBAGE])
      expect([bufferOf(world, client, 2), bufferOfFd(world, client, 1)]).to.deep.equal([
        undefined,
        undefined,
      ]);
    expect(bufferOf(world, 0, 2), 'another’s').to.equal(undefined);
    expect(bufferOfFd(world, 0, 1), 'another’s').to.equal(undefined);
  });

  it('are one handle a client and buffer', () => {
    expect([handlesOf(world, 0), handlesOf(world, 1)]).to.deep.equal([[1], [2]]);
    expect([0, 1].map((client) => handleFor(world, client, 9))).to.deep.equal([1, 2]);
    expect(handleFor(world, 0, 4), 'no page 0').to.equal(undefined);
  });

  it('are given from 1 on, while there are some', () => {
    const judged = withBuffer();
    expect([0, 1, 2].map((client) => freeHandle(judged.world, client))).to.deep.equal([2, 1, undefined]);
    expect([0, 1, 2, 3, 0.5].filter((handle) => isFreeHandle(judged.world, 0, handle))).to.deep.equal([2]);
    const more = { client: 0, bytes: 1, heaps: ['iommu'], flags: 'uncached' } as const;
    judged.make('ion_alloc', more, { handle: 2, pages: [3] });
    expect(freeHandle(judged.world, 0)).to.equal(undefined);
    expect(handleAt(judged.world, 1, 2), 'three places a client').to.equal(5);
  });
});

describe('ends', () => {
  /** Runs a change on a world and on one where something was made besides; both must be equal in the end. */
  function expectSame(make: (judged: Judged) => void, end: (s: World) => void): void {
    const [made, without] = [withBuffer(), withBuffer()];
    make(made);
    end(made.world);
    expect(made.world.state.words).to.deep.equal(without.world.state.words);
  }

  it('of a context take its jobs and bindings', () => {
    const bind = { context: 1, handle: 2, access: 'read' } as const;
    const work = { context: 1, at: 64, bytes: 40, access: 'write', tag: 9 } as const;
    expectSame(
      (judged) => {
        judged.make('gpu_context_create', { client: 1 }, { context: 1 });
        for (const address of [64, 320]) judged.make('gpu_bind', bind, { address });
        for (const job of [1, 0]) judged.make('gpu_submit', work, { job });
      },
      (s) => endContext(s, 1),
    );
  });

  it('of a job leave nothing of it', () => {
    const judged = withBuffer();
    judged.make('gpu_context_create', { client: 1 }, { context: 1 });
    const before = judged.world.state.save();
    judged.make('gpu_submit', { context: 1, at: -8, bytes: 40, access: 'write', tag: 9 }, { job: 1 });
    endJob(judged.world, 1);
    expect(judged.world.state.words).to.deep.equal(before);
  });

  it('of a client leave what another still holds', () => {
    const judged = withBuffer();
    endClient(judged.world, 1);
    const { refs, fd, handle, size } = judged.world;
    expect([refs.get(9), size.get(9)]).to.deep.equal([1, 2]);
    expect(fd.values.every((held) => held === 0)).to.equal(true);
    expect([...handle.values]).to.deep.equal([0, 10, 0, 0, 0, 0, 0, 0, 0]);
    endClient(judged.world, 0);
    judged.expectBooted();
  });

  it('of a kernel mapping come when no handle counts it any more', () => {
    const judged = withBuffer();
    judged.make('ion_map_kernel', { client: 1, handle: 2 }, { handle: 2, address: 20 * 64 });
    const { world } = judged;
    endKernelMap(world, 9);
    expect(world.kernelMap.get(9), 'it is counted').to.equal(21);
    world.kernelMaps.set(handleAt(world, 1, 2), 0);
    endKernelMap(world, 9);
    expect([world.kernelMap.get(9), world.area.get(4), world.mapped.get(4)]).to.deep.equal([0, 0, 0]);
    endKernelMap(world, 9);
    expect(world.kernelMap.get(9)).to.equal(0);
  });
});
