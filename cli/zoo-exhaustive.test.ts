import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { explore, LedElsewhereError, runScript, Stepper } from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { type Bug, bugOf, infect, UNEXPLORED, ZOO } from '../targets/zoo/index.ts';
import { record } from './main.ts';
import { huntInScopes, type ScopeHunt } from './scope-hunt.ts';
import { KEPT_CASES } from './zoo-cases.ts';
import { problemWith } from './zoo-exhaustive.ts';

/** Found at once; `npm run zoo-exhaustive` looks for all. */
const SOON = `
  no-merge free-first-page-only taken-off-and-counted moved-and-still-owned reserve-handed-out half-occupied
  kernel-tables-stay addresses-stay kvfree-is-kfree uncached-mapped-cached guard-page-handed-out
  zeroed-by-segments segment-limit-rounded-up no-coalescing only-the-first-chunk-freed chunks-left-behind
  entry-too-narrow tables-not-freed detach-forgotten low-bits-lost attach-takes-over block-taken-for-a-table
  unmap-ends-with-the-table address-zero reserved-address-handed-out doorbells-mapped-along
  coherent-not-zeroed coherent-still-mapped settled-by-dropping flush-too-short
  zeros-left-in-the-cache attribute-ignored eviction-loses writes-two-lines reads-the-first-line
  not-zeroed contiguous-only freed-by-segments kernel-map-never-ends
  dup-without-reference closed-and-still-there mmap-without-reference bind-counts-twice
`
  .trim()
  .split(/\s+/);

const bugNamed = (name: string): Bug => bugOf(`zoo/${name}`) ?? expect.fail(`there is no ${name}`);

function keptOf({ name }: Bug): ReturnType<typeof readCase> {
  const file = join(KEPT_CASES, `${name}.case.json`);
  return readCase(readFileSync(file, 'utf8'), file);
}

describe('ionclad zoo --exhaustive', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-zoo-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const name of SOON) {
    it(`finds ${name} in as few commands as are known, and the implementation without it holds there`, () => {
      const bug = bugNamed(name);
      const kept = keptOf(bug);
      const { found, lost } = huntInScopes(bug, kept.script);
      const { script, finding } = found ?? expect.fail('it was not found');
      expect(finding.serves).to.equal(bug.catches);
      expect(script.commands).to.have.lengthOf(kept.script.commands.length);
      expect(lost).to.deep.equal([]);
      const target = builtin();
      expect(runScript(new Stepper(SPEC, target), target, script)).to.equal(undefined);
    });
  }

  it('looks for bugs of every layer here', () => {
    expect(SOON.length).to.be.at.least(40);
    expect(new Set(SOON)).to.have.lengthOf(SOON.length);
    expect(new Set(SOON.map((name) => bugNamed(name).layer))).to.deep.equal(
      new Set(ZOO.map(({ layer }) => layer)),
    );
  });

  it('says of no bug that is there for two reasons, or for none that is right', () => {
    for (const name of Object.keys(UNEXPLORED)) expect(bugOf(`zoo/${name}`), name).to.not.equal(undefined);
    const nothing: ScopeHunt = { bug: '', scopes: 1, lost: [], transitions: 1 };
    const problem = (name: string, hunt: Partial<ScopeHunt>): string | undefined =>
      problemWith({ bug: bugNamed(name), hunt: { ...nothing, ...hunt }, kept: keptOf(bugNamed(name)) });
    const [first = ''] = SOON;
    const found = huntInScopes(bugNamed(first), keptOf(bugNamed(first)).script);
    expect(problem(first, found)).to.equal(undefined);
    expect(problem(first, {})).to.equal(`${first} is not found, and nobody knows why`);
    for (const [name, { obstacle }] of Object.entries(UNEXPLORED)) {
      const lost = obstacle === 'outside the store' ? ['small-spaces'] : [];
      expect(problem(name, { lost })).to.equal(undefined);
      expect(problem(name, found)).to.match(/is found: the reason why not is not needed any more$/);
      if (lost.length > 0) expect(problem(name, {})).to.match(/not because of "outside the store"$/);
    }
  });

  it('cannot go back where a bug remembers what it did', () => {
    const scope = SPEC.scopes['smallest-space'] ?? expect.fail('there is no such scope');
    expect(() => explore(SPEC, infect(bugNamed('failed-size-remembered')), scope)).to.throw(
      LedElsewhereError,
    );
  });

  it('prints, keeps and writes what it found, the same for any number of threads', async () => {
    const files = ['--cases', folder, '--markdown', join(folder, 'page.md')];
    const one = await record([
      'zoo',
      'no-merge',
      'detach-forgotten',
      '--exhaustive',
      '--threads',
      '1',
      ...files,
    ]);
    expect(one.code).to.equal(0);
    expect(one.out).to.match(/^bug +scope +states +commands +known +shown as\npages\n/);
    expect(one.out).to.match(/^ {2}no-merge +[a-z-]+ +\d+ +1 +- {2}S1$/m);
    expect(one.out).to.match(/^2 of 2 bugs found, [\d,]+ transitions made$/m);
    const page = readFileSync(join(folder, 'page.md'), 'utf8');
    expect(page).to.match(/^\| pages \| `no-merge` \| [a-z-]+ \| \d+ \| 1 \| - \| S1 \| a freed block/m);
    const file = join(folder, 'no-merge.case.json');
    expect(readCase(readFileSync(file, 'utf8'), file)).to.deep.include({
      target: 'zoo/no-merge',
      expect: { 'zoo/no-merge': 'broken', builtin: 'holds' },
    });
    expect((await record(['replay', file])).code).to.equal(1);
    const line = ['zoo', 'no-merge', 'detach-forgotten', '--exhaustive', '--json'];
    const [two, three] = [
      await record([...line, '--threads', '1']),
      await record([...line, '--threads', '2']),
    ];
    expect(two.out).to.equal(three.out);
  }).timeout(20_000);
});
