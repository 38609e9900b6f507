import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

const EXAMPLE = join(import.meta.dirname, '../../targets/examples/pages.py');

describe('ionclad explore --tests', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-tests-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const written = (...args: readonly string[]): ReturnType<typeof record> =>
    record(['explore', '--tests', folder, ...args]);
  const files = (): string[] => readdirSync(folder).map((file) => join(folder, file));

  it('writes few scripts, and says what they cover', async () => {
    const { code, out } = await written('--scope', 'pages');
    expect(code).to.equal(0);
    expect(out).to.equal(`\
pages: 26 states; by counts 9 states and 36 transitions
  2 scripts with 43 commands in ${folder}; run from boot they show every one
  a script for each transition: 36 scripts with 112 commands, 2.6 times as many`);
    expect(readdirSync(folder)).to.deep.equal(['pages-1.json', 'pages-2.json']);
    const { title, script } = readCase(readFileSync(join(folder, 'pages-1.json'), 'utf8'), 'pages-1.json');
    expect(title).to.equal('scope pages, script 1 of 2 that cover it');
    expect(script.commands).to.have.lengthOf(38);
    const first = join(folder, 'pages-1.json');
    expect(await written('--scope', 'pages'), 'nothing is mixed').to.deep.include({
      code: 2,
      err: `ionclad: --tests: ${first} is there already; remove it and its like`,
    });
    expect((await written('--scope', 'pages-compacted')).code, 'but for other scopes').to.equal(0);
  });

  it('writes them for any target: builtin, a process, and one with a bug, which is caught', async () => {
    await written('--scope', 'pages');
    expect((await record(['replay', ...files()])).code).to.equal(0);
    const example = ['--target', 'process', '--', 'python3', EXAMPLE];
    const { code, out } = await record(['replay', ...files(), ...example]);
    expect(out.match(/holds, nothing is found/g)).to.have.lengthOf(2);
    expect(code).to.equal(0);
    expect((await record(['replay', ...files(), ...example, '--bug', 'leak'])).code).to.equal(1);
    expect((await record(['replay', ...files(), '--target', 'zoo/no-merge'])).code).to.equal(1);
  }).timeout(20_000);

  it('says how far the search went, and takes lengths and levels', async () => {
    const args = ['--scope', 'gpu', '--depth', '3', '--detail', 'states', '--length', '12', '--json'];
    const { out } = await written(...args);
    const { scopes } = JSON.parse(out) as {
      readonly scopes: readonly [
        { readonly covered: number; readonly transitions: number; readonly files: string[] },
      ];
    };
    const [{ covered, transitions, files: named }] = scopes;
    expect(covered).to.equal(transitions).and.be.above(20);
    expect(named).to.deep.equal(files());
    rmSync(folder, { recursive: true });
    expect((await written('--scope', 'gpu', '--depth', '3')).out).to.match(
      /transitions, as far as the search went$/m,
    );
    expect((await written('--scope', 'ion-races', '--depth', '3')).out).to.include(
      'without the calls that overlap',
    );
  });

  it('writes the same bytes every time', async () => {
    const read = (): string[] => files().map((file) => readFileSync(file, 'utf8'));
    await written('--scope', 'pages-compacted');
    const once = read();
    rmSync(folder, { recursive: true });
    await written('--scope', 'pages-compacted');
    expect(read()).to.deep.equal(once).and.not.be.empty;
  });

  it('writes none from a target that is wrong, or cannot go back', async () => {
    const wrong = await written('--scope', 'gpu', '--target', 'zoo/freed-while-bound');
    expect(wrong.code).to.equal(1);
    expect(wrong.out).to.match(
      /^gpu: no scripts: zoo\/freed-while-bound is wrong already: ion_free.* I2 broken/,
    );
    const process = await written('--scope', 'pages', '--target', 'process', '--', 'python3', EXAMPLE);
    expect(process).to.include({ code: 2 });
    expect(process.err).to.match(/cannot go back; write the scripts without it, and replay them on it$/);
    expect((await written('--scope', 'pages', '--detail', 'counst')).err).to.match(/did you mean counts/);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('ends when it is interrupted', async () => {
    const args = ['explore', '--tests', folder, '--scope', 'gpu', '--depth', '9'];
    expect((await record(args, AbortSignal.timeout(200))).code).to.equal(130);
  }).timeout(20_000);
});
