import * as assert from 'node:assert/strict';
import { readCase, writeCase } from '../../counterexamples/index.ts';
import { SPEC } from '../../model/index.ts';
import { FORMAT, runScript, Stepper } from '../../properties/index.ts';
import { builtin } from '../../targets/builtin.ts';
import type { CheckName, TraceFinding } from '../../traces/index.ts';
import { scriptOfFinding, verdictOf } from '../../traces/script/index.ts';
import { EXPECTATIONS, judged, systemTrace } from './expectations.ts';

const FREED = 'duty free_pages: no device reaches it';

/** What the specification says of the findings of a check; nothing of all others. */
const SAID: Partial<Record<CheckName, string>> = {
  'freed-while-mapped': FREED,
  'allocated-while-mapped': FREED,
  'mapped-while-free': 'duty iommu_map: the memory is one allocated block',
  overlap: 'reply iommu_map: refuse EEXIST',
  'unmap-more': 'reply iommu_unmap: the bytes that were mapped from there on',
  'dma-overlap': 'reply dma_map_sg: unused addresses',
  'dma-unmap-unknown': 'duty dma_unmap_sg: the table is mapped',
};

/** Findings of corrupted traces of a few systems. */
function* corrupted(): Generator<TraceFinding> {
  for (const system of ['alone', 'unnamed', 'busy'] as const) {
    const trace = systemTrace(system, 0);
    for (const expectation of EXPECTATIONS)
      if (expectation.systems.includes(system) && expectation.checks.length > 0)
        yield* judged(trace, expectation, 0)?.report.findings ?? [];
  }
}

describe('scripts of findings', function () {
  this.timeout(20_000);

  it('are judged by the specification, and builtin shows what drivers did wrong', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target, undefined, true);
    const confirmed = new Set<string>();
    for (const finding of corrupted()) {
      const told = scriptOfFinding(finding);
      if (told.script.commands.length === 0) continue;
      const said = verdictOf(told);
      const text = said === undefined ? undefined : `${said.kind} ${said.call.op}: ${said.clause}`;
      assert.equal(text, SAID[finding.check], finding.text);
      const shown = runScript(stepper, target, told.script);
      assert.equal(shown?.kind, said?.kind === 'duty' ? 'duty' : undefined);
      const written = {
        format: FORMAT,
        title: finding.text,
        property: { name: 'duty' },
        script: told.script,
      } as const;
      assert.deepEqual(readCase(writeCase(written), 'x.json'), written);
      if (text !== undefined) confirmed.add(finding.check);
    }
    const expected = ['freed-while-mapped', 'overlap', 'unmap-more'];
    assert.deepEqual([...confirmed].toSorted(), expected);
  });
});
