import * as assert from 'node:assert/strict';
import { SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { runScript } from './drive.ts';
import { certify } from './explore/certify.ts';
import { type Finding, describe as inWords } from './finding.ts';
import { Scripts } from './generate.ts';
import type { Command, Script } from './script.ts';
import { shrink } from './shrink/shrink.ts';
import { Stepper } from './stepper.ts';

const scriptOf = (...commands: readonly Command[]): Script => ({ format: 1, machine: {}, commands });

const BLOCK: Command = { op: 'alloc_pages', order: 0, as: 'block' };
const FREE: Command = { op: 'free_pages', block: 'block' };
const MAPPED: readonly Command[] = [
  BLOCK,
  { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'domain' },
  {
    ...{ op: 'iommu_map', domain: 'domain', iova: 64, phys: { in: 'block', offset: 0 }, bytes: 64 },
    ...{ prot: 'both', as: 'range' },
  },
];
const UNMAP: Command = { op: 'iommu_unmap', domain: 'domain', iova: 64, bytes: 64 };

const target = builtin();
const judged = new Stepper(SPEC, target, undefined, true);
const run = (script: Script): Finding | undefined => runScript(judged, target, script);

function found(script: Script): Finding {
  const finding = run(script);
  assert.ok(finding !== undefined, 'a duty is broken');
  return finding;
}

describe('duties of callers', () => {
  it('are findings where callers are judged: what is freed must not be reachable', () => {
    const finding = found(scriptOf(...MAPPED, FREE));
    const { kind, command, clause, serves, reply } = finding;
    assert.deepEqual(
      { kind, command, clause, serves, reply },
      { kind: 'duty', command: 3, clause: 'no device reaches it', serves: 'I2', reply: undefined },
    );
    assert.equal(
      inWords(finding),
      `free_pages(block ${finding.call.args['block']}): its caller breaks a duty: "no device reaches it" does not hold`,
    );
  });

  it('are kept by whoever unmaps first', () => {
    assert.equal(run(scriptOf(...MAPPED, UNMAP, FREE)), undefined);
  });

  it('are broken by giving back what was given back', () => {
    const { clause, command } = found(scriptOf(BLOCK, FREE, FREE));
    assert.deepEqual({ clause, command }, { clause: 'the block is allocated', command: 2 });
  });

  it('are not those of whoever has a result that never was', () => {
    assert.equal(run(scriptOf({ ...BLOCK, order: 60 }, FREE)), undefined);
  });

  it('end the run: nothing is called after one is broken', () => {
    const script = scriptOf(...MAPPED, FREE, { op: 'alloc_pages', order: 0 });
    const before = judged.counts.commands;
    found(script);
    assert.equal(judged.counts.commands - before, MAPPED.length);
  });

  it('are skipped and counted where only targets are judged', () => {
    const stepper = new Stepper(SPEC, target);
    assert.equal(runScript(stepper, target, scriptOf(...MAPPED, FREE)), undefined);
    assert.equal(stepper.counts.skippedDuty, 1);
  });

  it('stay the same while a script shrinks, and nobody claims to know the shortest', () => {
    const noise: Command[] = [
      { op: 'alloc_pages', order: 1, as: 'other' },
      { op: 'kmalloc', bytes: 100 },
    ];
    const script = scriptOf(...noise, ...MAPPED, { op: 'free_pages', block: 'other' }, FREE);
    const finding = found(script);
    const smaller = shrink(SPEC, script, finding, run);
    assert.deepEqual(
      smaller.script.commands.map(({ op }) => op),
      ['alloc_pages', 'iommu_domain_alloc', 'iommu_map', 'free_pages'],
    );
    assert.equal(smaller.finding.clause, 'no device reaches it');
    const { certificate } = certify(SPEC, target, { ...smaller, property: 'lockstep' });
    assert.deepEqual(certificate, {
      result: 'undecided',
      states: 0,
      reason: 'calls that no caller may make are not searched',
    });
  });

  it('are asked of the commands of a script, not of those that give all back after it', () => {
    const only = new Set(['alloc_pages', 'free_pages', 'iommu_domain_alloc', 'iommu_map', 'iommu_unmap']);
    const scripts = new Scripts(SPEC, 3, { only });
    const clauses = new Map<string, number>();
    for (let index = 0; index < 60; index++) {
      const script = scripts.at(index);
      const finding = run(script);
      if (finding === undefined) continue;
      assert.equal(finding.kind, 'duty');
      assert.ok(finding.command < script.commands.length);
      clauses.set(finding.clause, (clauses.get(finding.clause) ?? 0) + 1);
    }
    assert.ok((clauses.get('no device reaches it') ?? 0) > 0, 'generated scripts break it too');
  });
});
