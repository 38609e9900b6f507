import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { noCounts } from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { warningsOf } from './health.ts';
import { type RawRunOptions, runOptions } from './options.ts';
import { type Summary, summarise } from './summary.ts';

const CALLS = Object.keys(SPEC.calls);

/** A run of so many scripts that made all calls but one, and met all situations but one. */
function summaryOf(scripts: number, withoutCall = '', withoutLabel = ''): Summary {
  const counts = noCounts(0);
  counts.scripts = scripts;
  counts.commands = 40 * scripts;
  counts.skippedMissing = 10 * scripts;
  for (const op of CALLS) if (op !== withoutCall) counts.outcomes[op] = { ok: 1 };
  const script = { format: 1, machine: {}, commands: [] };
  for (const { name } of SPEC.labels) if (name !== withoutLabel) counts.labels[name] = { count: 1, script };
  return summarise(counts, undefined);
}

const warnings = (summary: Summary, raw: Partial<RawRunOptions> = {}, calls = CALLS): string[] =>
  warningsOf(summary, runOptions({ target: 'builtin', seed: '1', cases: '', ...raw }, []), {
    capabilities: builtin().capabilities,
    calls: new Set(calls),
  });

describe('the health of a run', () => {
  it('is good where all was made and met, and a quarter skipped', () => {
    expect(warnings(summaryOf(61_440))).to.deep.equal([]);
  });

  it('is bad where more was skipped than made', () => {
    const summary = { ...summaryOf(100), skippedDuty: 3_001 };
    expect(warnings(summary)).to.deep.equal([
      '50.0 % of the commands were skipped: scripts did less than half of what was drawn',
    ]);
    expect(warnings({ ...summary, skippedDuty: 3_000 })).to.deep.equal([]);
  });

  it('is bad where a call was never made that was wanted and is known', () => {
    const [sentence = ''] = warnings(summaryOf(1_024, 'ion_free'));
    expect(sentence).to.match(/^ion_free was never made in 1,024 scripts/);
    expect(warnings(summaryOf(1_023, 'ion_free')), 'too few to tell').to.deep.equal([]);
    expect(warnings(summaryOf(2_000, 'ion_free'), { only: ['pages'] }), 'not wanted').to.deep.equal([]);
    const others = CALLS.filter((op) => op !== 'ion_free');
    expect(warnings(summaryOf(2_000, 'ion_free'), {}, others), 'not known').to.deep.equal([]);
  });

  it('is bad where a situation was never met that nothing rules out', () => {
    const [label] = SPEC.labels;
    const name = label?.name ?? '';
    const summary = summaryOf(16_384, '', name);
    expect(warnings(summary)).to.deep.equal([`never met in 16,384 scripts, where it should be: ${name}`]);
    expect(warnings(summaryOf(16_383, '', name)), 'too few to tell').to.deep.equal([]);
    for (const raw of [
      { only: ['pages'] },
      { machine: ['pages=4'] },
      { policy: ['contexts=shared'] },
      { premise: 'T1' },
      { property: 'fault' },
      { target: 'module:x' },
    ])
      expect(warnings(summary, raw), JSON.stringify(raw)).to.deep.equal([]);
    expect(warnings(summary, {}, CALLS.slice(1)), 'a call that is not known').to.deep.equal([]);
  });
});
