import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { CLOAKROOM } from './cloakroom.test.ts';
import { clientOf, ownersOf } from './ownership.ts';
import { type Command, FORMAT, type Script } from './script.ts';

const script = (...commands: readonly Command[]): Script => ({ format: FORMAT, machine: {}, commands });

/** Two clients; the first has a buffer with a descriptor, bound, and mapped for kernel and user. */
const START: readonly Command[] = [
  { op: 'ion_client_create', as: 'a' },
  { op: 'ion_client_create', as: 'b' },
  { op: 'gpu_context_create', client: 'a', as: 'context' },
  { op: 'ion_alloc', client: 'a', bytes: 128, heaps: ['iommu'], flags: 'uncached', as: 'handle' },
  { op: 'ion_share', client: 'a', handle: 'handle', as: 'fd' },
  { op: 'gpu_bind', context: 'context', handle: 'handle', access: 'both', as: 'binding' },
  { op: 'ion_map_kernel', client: 'a', handle: 'handle', as: 'kernel' },
  { op: 'ion_mmap', client: 'a', fd: 'fd', offset: 0, bytes: 128, as: 'user' },
];

const isolation = SPEC.isolation ?? expect.fail('nothing is isolated');

/** Whose the last command is after the start: `-` nobody’s, `no` not made; and whether it is reached anywhere. */
function last(...commands: readonly Command[]): string {
  const owned = ownersOf(SPEC, isolation, script(...START, ...commands)).at(-1);
  return owned === undefined ? 'no' : `${owned.client ?? '-'}${owned.isPlaced ? '' : ', by address'}`;
}

const read = (at: Command['at'], bytes = 16): Command => ({
  op: 'device_read',
  through: 'context',
  at,
  bytes,
});
const cpuRead = (at: Command['at'], bytes = 16): Command => ({ op: 'cpu_read', at, bytes });
const free: Command = { op: 'ion_free', client: 'a', handle: 'handle' };

describe('ownersOf', () => {
  it('gives a command to the client that its references lead to', () => {
    expect(ownersOf(SPEC, isolation, script(...START)).map((owned) => owned?.client)).to.deep.equal([
      ...['a', 'b'],
      ...START.slice(2).map(() => 'a'),
    ]);
    expect(last({ op: 'ion_query', client: 'b' })).to.equal('b');
  });

  it('leaves to nobody what happens by itself', () => {
    for (const op of ['tick_worker', 'tick_flush']) expect(last({ op })).to.equal('-');
    expect(last({ op: 'tick_iotlb', entry: 1 })).to.equal('-');
  });

  it('leaves out what two clients have in common', () => {
    expect(last({ op: 'ion_share', client: 'b', handle: 'handle' })).to.equal('no');
    expect(last({ op: 'fd_send', client: 'a', fd: 'fd', to: 'b' })).to.equal('no');
  });

  it('leaves out calls of others, and evictions, which pick among the lines of all', () => {
    expect(last({ op: 'alloc_pages', order: 0 })).to.equal('no');
    expect(last({ op: 'tick_cache', entry: 0 })).to.equal('no');
    expect(last({ op: 'ion_client_create' }), 'a client without a name').to.equal('no');
  });

  it('leaves out what is named by number, or made by a command that is left out', () => {
    expect(last({ op: 'ion_query', client: 99 })).to.equal('no');
    expect(last({ op: 'ion_query', client: '0x1f' })).to.equal('no');
    expect(last({ op: 'ion_query', client: 'nobody' })).to.equal('no');
    const shared: Command = { op: 'ion_share', client: 'b', handle: 'handle', as: 'other' };
    expect(last(shared, { op: 'fd_close', client: 'b', fd: 'other' })).to.equal('no');
  });

  it('leaves out what was given back: the id may be another’s', () => {
    expect(last(free, free)).to.equal('no');
    expect(last({ op: 'gpu_context_destroy', context: 'context' }, read(0))).to.equal('no');
    const gone: Command = { op: 'ion_client_destroy', client: 'a' };
    expect(last(gone, cpuRead({ in: 'user', offset: 0 }))).to.equal('no');
    expect(last(free, { op: 'ion_unmap_kernel', client: 'a', map: 'kernel' })).to.equal('no');
  });

  it('keeps what users hold beyond the handle that it was made from', () => {
    expect(last(free, read({ in: 'binding', offset: 0 }))).to.equal('a');
    expect(last({ op: 'fd_close', client: 'a', fd: 'fd' }, cpuRead({ in: 'user', offset: 0 }))).to.equal('a');
  });

  it('knows accesses that reach the same wherever it lies', () => {
    expect(last(read({ in: 'binding', offset: 48 }))).to.equal('a');
    expect(last(read({ in: 'binding', offset: 48 }, 32))).to.equal('a, by address');
    expect(last(read({ in: 'binding', offset: -16 }))).to.equal('a, by address');
    expect(last(read(64))).to.equal('a, by address');
    expect(last({ op: 'device_probe', through: 'context' })).to.equal('a, by address');
  });

  it('knows jobs by where they were sent to', () => {
    const submit = (at: Command['at']): Command => ({
      ...{ op: 'gpu_submit', context: 'context', at, bytes: 16, access: 'read', tag: 1, as: 'job' },
    });
    const tick: Command = { op: 'tick_engine', job: 'job' };
    expect(last(submit({ in: 'binding', offset: 0 }), tick)).to.equal('a');
    expect(last(submit(64), tick)).to.equal('a, by address');
  });

  it('keeps CPUs, which have one address space for all, inside the first page of a mapping', () => {
    expect(last(cpuRead({ in: 'user', offset: 48 }))).to.equal('a');
    expect(last(cpuRead({ in: 'user', offset: 64 }))).to.equal('no');
    expect(last(cpuRead({ in: 'kernel', offset: 32 }, 64))).to.equal('no');
    expect(last(cpuRead(64))).to.equal('no');
  });
});

describe('clientOf', () => {
  it('names the client of a command, or the first one', () => {
    const other: Command = { op: 'ion_query', client: 'b' };
    const whole = script(...START, other, { op: 'tick_worker' });
    expect([START.length, START.length + 1].map((at) => clientOf(SPEC, whole, at))).to.deep.equal(['b', 'a']);
    expect(clientOf(SPEC, script({ op: 'tick_worker' }), 0)).to.equal(undefined);
  });

  it('names nobody where nothing is isolated', () => {
    expect(clientOf(CLOAKROOM, script({ op: 'hang', colour: 1, as: 'coat' }), 0)).to.equal(undefined);
  });
});
