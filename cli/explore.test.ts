import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import { record } from './main.ts';

const PAGES = `\
pages: the buddy allocator: every way of splitting and merging four pages
  holds for every script: 26 states, 129 transitions; nothing is left to visit, 6 commands deep
  machine  vmallocPages 2, parked 0, pages 4, orderMax 2
  calls    alloc_pages, free_pages; the first 3 values of any other argument`;

describe('ionclad explore', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-explore-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const explored = (...args: readonly string[]): ReturnType<typeof record> =>
    record(['explore', '--cases', folder, ...args]);

  it('says what it covered, with the bounds', async () => {
    const { code, out } = await explored('--scope', 'pages');
    expect(code).to.equal(0);
    expect(out.split('\n').slice(0, 4).join('\n')).to.equal(PAGES);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('says so where scripts could have been longer', async () => {
    const { code, out } = await explored('--scope', 'pages', '--depth', '3');
    expect(code).to.equal(0);
    expect(out).to.match(
      /holds for every script of up to 3 commands: \d+ states, \d+ transitions; \d+ of the states/,
    );
    const { out: given } = await explored('--scope', 'pages', '--states', '10');
    expect(given).to.match(
      /holds for every script of up to [12] commands: given up for states at \d+ states/,
    );
  });

  it('hands back a shortest case, which replay shows again, and ends with 1', async () => {
    const { code, out } = await explored('--scope', 'gpu', '--target', 'zoo/freed-while-bound');
    expect(code).to.equal(1);
    expect(out).to.include('broken: the shortest case has 5 commands; found after ');
    expect(out).to.include('\n> 5  ion_free(client1, handle2)\n');
    const [file = ''] = readdirSync(folder);
    const found = readCase(readFileSync(join(folder, file), 'utf8'), file);
    expect(found).to.deep.include({ target: 'zoo/freed-while-bound', property: { name: 'lockstep' } });
    expect(found.found).to.deep.include({ by: 'ionclad explore, scope gpu' });
    expect((await record(['replay', join(folder, file)])).code).to.equal(1);
  });

  it('searches calls and machines that have no name', async () => {
    const line = ['--only', 'pages', '--machine', 'pages=4,orderMax=1', '--depth', '2', '--few', '2'];
    const { code, out } = await explored(...line);
    expect(code).to.equal(0);
    expect(out).to.include('\n  machine  pages 4, orderMax 1\n');
    expect(out).to.include('up to 2 commands');
  });

  it('lets options change a scope', async () => {
    const { out } = await explored('--scope', 'pages', '--policy', 'placement=lifo', '--json');
    const { scopes } = JSON.parse(out) as { readonly scopes: readonly { readonly states: number }[] };
    expect(scopes[0]?.states, 'the order of the free lists is state').to.be.above(26);
  });

  it('lists every scope', async () => {
    const { code, out } = await explored('--list');
    expect(code).to.equal(0);
    for (const name of Object.keys(SPEC.scopes)) expect(out).to.match(new RegExp(`^${name} `, 'm'));
  });

  it('gives the same bytes every time, on any number of threads', async () => {
    const line = ['--scope', 'devices,gpu', '--target', 'zoo/freed-while-bound', '--json'];
    const outs: string[] = [];
    for (const threads of ['1', '2', '3']) {
      const { code, out } = await explored(...line, '--threads', threads);
      expect(code).to.equal(1);
      outs.push(out.replace(/"file": .*/, ''));
    }
    for (const out of outs) expect(out).to.equal(outs[0]);
  }).timeout(20_000);

  it('refuses targets that cannot go back, and says what can be done', async () => {
    expect(await explored('--target', 'process:true')).to.deep.include({
      code: 2,
      err: 'ionclad: --target: a process cannot go back to an earlier state; draw scripts for it: ionclad run',
    });
    const file = join(folder, 'forgetful.mjs');
    const target =
      "{ name: 'forgetful', capabilities: new Set(), boot() {}, apply: () => ({ ok: {} }), observe() {} }";
    writeFileSync(file, `export const target = ${target};\n`);
    const { code, err } = await explored('--target', `module:${file}`);
    expect(code).to.equal(2);
    expect(err).to.match(/cannot go back to an earlier state: it has no undoable$/);
  });

  it('searches the specification alone, and says what its rules admit', async () => {
    const { code, out } = await explored('--spec', '--scope', 'pages', '--no-symmetry');
    expect(code).to.equal(0);
    expect(out).to.include(
      '\n  holds for every script: 26 states, 180 transitions; nothing is left to visit, ',
    );
    expect(out).to.match(/\n {2}alloc_pages +78 +47 +1 +5 +pfn up to 4\n {2}free_pages +51 +0 +1 +1\n/);
    expect(out).to.not.match(/chooses|no value|never asked/);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('lists the rules of a specification that it could not ask', async () => {
    const line = ['--spec', '--only', 'free_pages,drain', '--depth', '2'];
    const { code, out } = await explored(...line);
    expect(code).to.equal(0);
    expect(out).to.include('\n  never asked: free_pages\n');
    const { scopes } = JSON.parse((await explored(...line, '--json')).out) as {
      readonly scopes: readonly { readonly rules: object; readonly report: object }[];
    };
    expect(scopes[0]?.rules).to.have.keys(['drain']);
    expect(scopes[0]?.report).to.deep.include({ choosing: [], barren: [], unasked: ['free_pages'], cut: [] });
  });

  it('is told from a target whose undo loses something', async () => {
    const file = join(folder, 'lossy.mjs');
    const builtin = JSON.stringify(join(import.meta.dirname, '../targets/builtin.js'));
    writeFileSync(
      file,
      `import { builtin } from ${builtin};
       const target = builtin();
       let calls = 0;
       const apply = target.apply.bind(target);
       target.apply = (call) => (++calls === 40 ? { errno: 'EIO' } : apply(call));
       export { target };\n`,
    );
    const { code, err } = await explored('--target', `module:${file}`, '--scope', 'pages');
    expect(code).to.equal(3);
    expect(err).to.match(/the same calls from boot do not show it/);
  });

  it('ends when it is interrupted', async () => {
    const { code, err } = await record(
      ['explore', '--scope', 'gpu', '--depth', '9', '--cases', folder],
      AbortSignal.timeout(300),
    );
    expect(code).to.equal(130);
    expect(err).to.include('ionclad: interrupted');
  }).timeout(20_000);
}).timeout(20_000);
