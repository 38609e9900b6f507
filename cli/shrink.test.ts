import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Case, readCase } from '../counterexamples/index.ts';
import type { Command } from '../properties/index.ts';
import { record } from './main.ts';

const ionclad = (...args: readonly string[]): ReturnType<typeof record> => record(args);

const alloc = (as: string): Command => ({ op: 'alloc_pages', order: 1, as });

/** Frees a block of two pages among others, as somebody would write it down. */
const BY_HAND = {
  format: 1,
  machine: { pages: 32, contexts: 2, policies: { placement: 'lifo' } },
  commands: [
    alloc('first'),
    alloc('second'),
    { op: 'kvmalloc', bytes: 300 },
    { op: 'free_pages', block: 'second' },
    alloc('third'),
    { op: 'free_pages', block: 'first' },
  ],
};

describe('ionclad shrink', function () {
  this.timeout(20_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-shrink-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const written = (name: string, value: object): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  const read = (file: string): Case => readCase(readFileSync(file, 'utf8'), file);
  const original = (name: string): Case =>
    read(fileURLToPath(new URL(`../../counterexamples/${name}.case.json`, import.meta.url)));
  const copied = (name: string): string => written(`${basename(name)}.case.json`, original(name));

  it('shrinks a script that somebody wrote, and writes a case beside it that replays', async () => {
    const file = written('hand.json', BY_HAND);
    const { code, out } = await ionclad('shrink', file, '--target', 'zoo/free-first-page-only');
    expect(code, out).to.equal(1);
    expect(out)
      .to.include('  machine: all defaults\n')
      .and.to.match(/^shrunk from 6 to 1 command in \d+ runs$/m);
    const smaller = join(folder, 'hand.shrunk.case.json');
    expect(out).to.include(`case:   ${smaller}\nreplay: ionclad replay ${smaller}`);
    expect(JSON.parse(readFileSync(file, 'utf8')), 'the file itself').to.deep.equal(BY_HAND);
    const { script, target, expect: expected } = read(smaller);
    expect(script.commands).to.deep.equal([{ op: 'alloc_pages', order: 1, as: 'second' }]);
    expect({ target, expected }).to.deep.equal({
      target: 'zoo/free-first-page-only',
      expected: { 'zoo/free-first-page-only': 'broken' },
    });
    expect(await ionclad('replay', smaller)).to.have.property('code', 1);
    expect((await ionclad('shrink', smaller)).out).to.match(
      /^nothing smaller than this command was found in \d+ runs$/m,
    );
  });

  it('goes on with what a search finds shorter, and writes down that there is nothing shorter', async () => {
    const kept = original('zoo/dead-client-lives');
    const made = { op: 'ion_client_create', as: 'c' };
    const commands = [made, { op: 'ion_client_destroy', client: 'c' }];
    const file = written('longer.case.json', { ...kept, script: { ...kept.script, commands } });
    expect((await ionclad('shrink', file, '--no-proof')).out)
      .to.include('nothing smaller than these 2 commands')
      .and.not.to.include('possible');
    const { code, out } = await ionclad('shrink', file, '--in-place');
    expect(code).to.equal(1);
    expect(out).to.match(/^shrunk from 2 to 1 command in \d+ runs$/m);
    expect(out).to.include('shortest possible with its calls and values on its machine: proven, 1 state\n');
    expect(read(file)).to.deep.equal(kept);
    const short = await ionclad('shrink', copied('zoo/stale-iotlb'), '--states', '3');
    expect(short.out).to.match(/^whether a shorter one shows it is not decided: not within \d states$/m);
    expect(await ionclad('shrink', file, '--no-proof', '--states', '3')).to.have.property('code', 2);
  });

  it('says that a script that holds has nothing to shrink, and writes nothing', async () => {
    const file = written('holds.json', BY_HAND);
    expect(await ionclad('shrink', file)).to.deep.equal({
      code: 0,
      out: `${file}: on builtin: holds, nothing to shrink`,
      err: '',
    });
    expect(existsSync(join(folder, 'holds.shrunk.case.json'))).to.equal(false);
  });

  for (const [name, property] of [
    ['zoo/late-reference', { name: 'schedule' }],
    ['chunks-left-behind', { name: 'fault', command: 3, site: 'kmalloc', n: 2 }],
    ['t1-a-client-notices-another', { name: 'noninterference', client: 'bob' }],
    ['t3-dma-alloc', { name: 'verdict', policy: 'backing', premise: 'T3' }],
  ] as const) {
    it(`shrinks in place what shows ${property.name}: ${name}`, async () => {
      const file = copied(name);
      const { commands } = read(file).script;
      const { code, out, err } = await ionclad('shrink', file, '--in-place', '--no-proof');
      expect({ code, err }, out).to.deep.equal({ code: 1, err: '' });
      const smaller = read(file);
      expect(smaller.script.commands.length).to.be.at.most(commands.length);
      expect(Object.keys(smaller.script.machine).length, out).to.be.at.most(2);
      expect(smaller.property).to.deep.equal(property);
      if (name !== 't3-dma-alloc') expect(smaller.title).to.equal(original(name).title);
      const replayed = await ionclad('replay', file);
      expect(replayed.out).to.include(': found: ').and.not.to.include('another finding');
      expect(smaller.expect).to.deep.equal(original(name).expect);
    });
  }

  it('says so when the target shows something else than the file, and shrinks that', async () => {
    const finding = { kind: 'reply', serves: 'I8', clause: 'zeros', layer: 'ion', detail: '', command: 0 };
    const other = { format: 1, title: 'another', property: { name: 'lockstep' }, finding, script: BY_HAND };
    const file = written('other.case.json', other);
    const out = join(folder, 'x.json');
    const { code, err } = await ionclad('shrink', file, '--target', 'zoo/free-first-page-only', '--out', out);
    expect(code).to.equal(1);
    expect(err).to.equal(`${file}: another finding than the one in the file; it is what is shrunk`);
    expect(read(out).finding?.serves).to.equal('C1');
  });

  it('shrinks on a program, and goes on after a file that cannot be read', async () => {
    const program = ['--target', 'process', '--', 'python3', 'targets/examples/pages.py', '--bug', 'leak'];
    const file = written('pages.json', {
      ...BY_HAND,
      commands: BY_HAND.commands.filter(({ op }) => op !== 'kvmalloc'),
    });
    const { code, out, err } = await ionclad('shrink', join(folder, 'none.json'), file, ...program);
    expect(code, out).to.equal(2);
    expect(err).to.equal(`ionclad: ${join(folder, 'none.json')}: there is no such file`);
    expect(out).to.match(/^shrunk from 5 to [12] commands? in \d+ runs$/m);
    expect(out).to.include('--target process -- python3 targets/examples/pages.py --bug leak');
  });

  it('tells all of it as JSON', async () => {
    const file = written('json.json', BY_HAND);
    const { out } = await ionclad('shrink', '--json', file, '--target', 'zoo/free-first-page-only');
    const { results, ...report } = JSON.parse(out) as { readonly results: readonly object[] };
    expect(report).to.deep.include({ command: 'shrink', exitCode: 1 });
    expect(results).to.have.lengthOf(1);
    expect(results[0]).to.deep.include({ result: 'shrunk', from: 6, to: 1 });
  });

  it('keeps the smallest so far when it is interrupted', async () => {
    const file = written('long.json', BY_HAND);
    const { code, err } = await record(['shrink', file], AbortSignal.abort());
    expect({ code, err }).to.deep.equal({
      code: 130,
      err: 'ionclad: interrupted; what is smallest so far is kept',
    });
    expect(existsSync(join(folder, 'long.shrunk.case.json')), 'it had not begun').to.equal(false);
  });

  it('prints the case where it cannot be written', async () => {
    const file = written('here.json', BY_HAND);
    const out = ['--out', '/proc/none/x.json'];
    const ran = await ionclad('shrink', file, '--target', 'zoo/free-first-page-only', ...out);
    expect(ran.code).to.equal(1);
    expect(ran.err).to.match(
      /^ionclad: \/proc\/none\/x\.json cannot be written: .*; the case is printed instead$/,
    );
    expect(ran.out).to.include('"property": { "name": "lockstep" }');
  });
});
