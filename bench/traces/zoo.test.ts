import * as assert from 'node:assert/strict';
import { SPEC } from '../../model/index.ts';
import { type Script, Scripts } from '../../properties/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { ZOO } from '../../targets/zoo/index.ts';
import { checked, record } from './recorder.ts';
import { shownOf } from './zoo.ts';

const PAGE = 4096;

describe('recordings of targets', () => {
  const script: Script = {
    ...{ format: 1, machine: {} },
    commands: [
      { op: 'alloc_pages', order: 1, as: 'block' },
      { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'domain' },
      {
        ...{ op: 'iommu_map', domain: 'domain', iova: 128, phys: { in: 'block', offset: 0 }, bytes: 128 },
        ...{ prot: 'both', as: 'range' },
      },
      { op: 'iommu_unmap', domain: 'domain', iova: 128, bytes: 256 },
      { op: 'free_pages', block: 'block' },
    ],
  };

  it('are what a kernel would have written, in order', () => {
    const { events, broken, freed } = record(builtin(), script);
    const told = events
      .slice(2)
      .filter(({ kind }) => kind === 'map' || kind === 'unmap' || kind === 'page-free');
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['map', 'map', 'unmap', 'page-free', 'page-free', 'page-free', 'page-free', 'page-free'],
      'two pages of the block, three of tables',
    );
    assert.deepEqual([broken, freed], [false, false]);
    const [, , unmap] = told;
    assert.ok(unmap?.kind === 'unmap');
    assert.deepEqual(
      [unmap.iova, unmap.size, unmap.unmapped],
      [2 * PAGE, 2 * PAGE, 2 * PAGE],
      'up to the hole',
    );
  });
});

/** Bugs whose shortest case shows in a trace, with the checks that find it; that of all others does not. */
const SHOWN = {
  'no-part-of-a-block': ['unmap-unknown'],
  'unmap-ends-with-the-table': ['unmap-short'],
  'coherent-still-mapped': ['freed-while-mapped'],
  'freed-while-bound': ['freed-while-mapped'],
  'wrong-part-stays': ['overlap'],
};

describe('the checker of traces, held against targets', function () {
  this.timeout(20_000);

  it('finds nothing sure in what builtin does', () => {
    const scripts = new Scripts(SPEC, 5);
    const target = builtin();
    let events = 0;
    for (let index = 0; index < 30; index++) {
      const recording = record(target, scripts.at(index));
      events += recording.events.length;
      const { findings, totals } = checked(recording);
      if (totals.certain + totals.likely > 0) assert.fail(`script ${index}: ${JSON.stringify(findings[0])}`);
    }
    assert.ok(events > 1000, String(events));
  });

  it('finds freed memory that is reachable exactly where the invariant on the view does', () => {
    const shown: Record<string, readonly string[]> = {};
    for (const bug of ZOO) {
      const { checks, disagreements } = shownOf(bug, 0);
      assert.equal(disagreements, 0, bug.name);
      if (checks.length > 0) shown[bug.name] = checks;
    }
    assert.deepEqual(shown, SHOWN);
  });
});
