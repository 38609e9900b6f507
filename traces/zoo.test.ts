import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { Scripts } from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { infect, ZOO } from '../targets/zoo/index.ts';
import { checked, madeOf, record } from './recording.test.ts';

const N = Number(process.env['N'] ?? 40);
describe('the checker of traces, held against targets', () => {
  it('finds nothing sure in what builtin does', () => {
    const scripts = new Scripts(SPEC, 5);
    const target = builtin();
    let events = 0;
    for (let index = 0; index < 60; index++) {
      const recording = record(target, scripts.at(index));
      events += recording.events.length;
      const { findings, totals } = checked(recording);
      if (totals.certain + totals.likely > 0) assert.fail(`script ${index}: ${JSON.stringify(findings[0])}`);
    }
    assert.ok(events > 5000, String(events));
  });
  it('survey', () => {
    const t0 = Date.now();
    for (const bug of ZOO) {
      const target = infect(bug);
      const file = new URL(`../../counterexamples/zoo/${bug.name}.case.json`, import.meta.url);
      const known = readCase(readFileSync(file, 'utf8'), bug.name).script;
      const scripts = new Scripts(SPEC, 1, bug.only === undefined ? {} : { only: new Set(bug.only) });
      const all = [known, ...Array.from({ length: N }, (_, i) => scripts.at(i))].map(
        (script) => [script, madeOf(script)] as const,
      );
      const seen = new Map<string, number>();
      let both = 0,
        onlyView = 0,
        onlyTrace = 0;
      for (const [script, made] of all) {
        const r = record(target, script, made);
        const { findings } = checked(r);
        const sure = findings.filter((f) => f.confidence !== 'possible');
        for (const f of sure) seen.set(f.check, (seen.get(f.check) ?? 0) + 1);
        const pages = sure.some((f) => /freed-while|allocated-while|mapped-while/.test(f.check));
        if (pages && r.freed) both++;
        else if (pages) onlyTrace++;
        else if (r.freed) onlyView++;
      }
      console.log(bug.name, bug.catches, JSON.stringify([...seen]), both, onlyView, onlyTrace);
    }
    console.log(Date.now() - t0);
  }).timeout(100000);
});
