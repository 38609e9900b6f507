import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { caseFileOf, readCase, scopeOf, VERDICTS } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { type Explored, explore } from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { record } from './main.ts';

const KEPT = join(import.meta.dirname, '../../counterexamples');
/** As far as a choice that holds is followed here; the command follows it as far as its scope goes. */
const DEPTH = 4;

describe('ionclad verdicts --exhaustive', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-verdicts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const row of VERDICTS) {
    const { argument, policy, value, setting, premise, scopes } = row;
    it(`decides ${argument} ${policy} ${value} ${setting} as the scripts that are drawn do`, () => {
      const file = join(KEPT, caseFileOf(row));
      const kept = existsSync(file) ? readCase(readFileSync(file, 'utf8'), file) : undefined;
      const isBroken = kept !== undefined;
      const searched = scopes.map((name): Explored => {
        const scope = scopeOf(row, name);
        const depth = kept?.script.commands.length ?? DEPTH;
        return explore(SPEC, builtin(), { ...scope, depth }, { premise });
      });
      const found = searched.flatMap((each) => each.found ?? []);
      expect(found.length > 0).to.equal(isBroken);
      const lengths = found.map(({ script }) => script.commands.length);
      if (isBroken) expect(Math.min(...lengths)).to.be.at.most(kept.script.commands.length);
      for (const { finding, script } of found) {
        expect(finding.premise).to.equal(premise);
        expect(script.machine.policies?.[policy]).to.equal(value);
      }
    }).timeout(10_000);
  }

  it('prints how far each choice holds, and keeps the shortest case of each that does not', async () => {
    const { code, out } = await record(['verdicts', 'T5', '--exhaustive', '--cases', folder]);
    expect(code).to.equal(0);
    expect(out).to.match(
      /^T5 +aliasing clean +caches not coherent +holds for every script of up to \d+ commands +[\d,]+ {2}t5-aliasing$/m,
    );
    expect(out).to.match(
      /^ +aliasing ignore +caches not coherent +H3 broken in 2 commands, the fewest +\d+ {2}t5-aliasing$/m,
    );
    expect(readdirSync(folder)).to.deep.equal(['t5-ignore-caches-not-coherent.case.json']);
    for (const file of readdirSync(folder)) {
      const { expect: all, found } = readCase(readFileSync(join(folder, file), 'utf8'), file);
      expect(Object.values(all ?? {}).filter((each) => each === 'broken')).to.have.length(1);
      expect(JSON.stringify(found)).to.include('ionclad verdicts --exhaustive');
      expect((await record(['replay', join(folder, file)])).code).to.equal(1);
    }
  }).timeout(20_000);

  it('gives the same bytes for any number of threads', async () => {
    const line = ['verdicts', 'T5', '--exhaustive', '--cases', folder, '--json'];
    const [one, two] = await Promise.all([
      record([...line, '--threads', '1']),
      record([...line, '--threads', '2']),
    ]);
    expect(one.out).to.equal(two.out);
    expect(JSON.parse(one.out)).to.nested.include({
      'verdicts[0].verdict': 'holds',
      'verdicts[1].scope': 't5-aliasing',
    });
  }).timeout(20_000);

  it('takes no machine: its scopes have theirs', async () => {
    const { code, err } = await record(['verdicts', '--exhaustive', '--machine', 'pages=8']);
    expect({ code, err }).to.deep.equal({
      code: 2,
      err: 'ionclad: --exhaustive: not with --machine: a scope has its machine',
    });
  });
});
