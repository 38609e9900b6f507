import { expect } from 'chai';
import { NOTHING_SPENT, plus, Stopwatch, slowness } from './speed.ts';

const spent = (busyMs: number, slowestMs = 10): Parameters<typeof slowness>[0] => ({
  busyMs,
  slowestMs,
  slowest: 'drain()',
});

describe('the time of a run', () => {
  it('is told where the target takes it and few calls are made', () => {
    expect(slowness(spent(9_000), 5_000, 10_000, 1)).to.equal(
      'slow: 500 commands/s; 90.0 % of the time is the target’s',
    );
    expect(slowness(spent(9_000), 5_000, 10_000, 2)).to.include('500 commands/s; 45.0 %');
  });

  it('is no matter where many are made, where it goes elsewhere, or where the run was short', () => {
    expect(slowness(spent(9_000), 10_000, 10_000, 1)).to.equal(undefined);
    expect(slowness(spent(4_000), 5_000, 10_000, 1)).to.equal(undefined);
    expect(slowness(spent(4_500), 10, 4_900, 1)).to.equal(undefined);
  });

  it('names a call that took more than a second, in any run', () => {
    expect(slowness(spent(1_500, 1_234), 1e6, 2_000, 1)).to.equal('slow: 1.2 s for drain()');
    expect(slowness(spent(9_000, 8_000), 10, 10_000, 1)).to.match(
      /^slow: 1 commands\/s; .*; 8\.0 s for drain\(\)$/,
    );
  });

  it('adds up over threads, with the slowest call of all', () => {
    const sum = plus(plus(NOTHING_SPENT, spent(10, 3)), { busyMs: 5, slowestMs: 4, slowest: 'shrink()' });
    expect(sum).to.deep.equal({ busyMs: 15, slowestMs: 4, slowest: 'shrink()' });
    expect(plus({ busyMs: 1, slowestMs: 9, slowest: 'a' }, sum).slowest).to.equal('a');
  });

  it('is measured around every call', async () => {
    const watch = new Stopwatch();
    const capabilities = new Set<never>();
    const local = watch.local({
      name: 'm',
      capabilities,
      boot() {},
      observe() {},
      apply({ op }) {
        const began = performance.now();
        while (op === 'drain' && performance.now() - began < 5);
        return { ok: {} };
      },
    });
    local.apply({ op: 'drain', args: {} });
    local.apply({ op: 'shrink', args: {} });
    const first = watch.take();
    expect(first).to.include({ slowest: 'drain()' });
    expect(first.busyMs).to.be.above(4);
    const remote = watch.remote({
      name: 'p',
      capabilities,
      boot: async () => {},
      batch: async () => [],
      close: async () => {},
    });
    await remote.boot({} as never);
    await remote.batch([
      { op: 'drain', args: {} },
      { op: 'shrink', args: {} },
    ]);
    await remote.close();
    expect(watch.take().slowest).to.equal('a batch from drain to shrink');
    expect(watch.take()).to.equal(NOTHING_SPENT);
  });
});
