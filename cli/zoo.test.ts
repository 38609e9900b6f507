import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { ZOO } from '../targets/zoo/index.ts';
import { hunt } from './hunt.ts';
import { record } from './main.ts';

/** Two that are found at once and shrunk soon. */
const EASY = ['detach-forgotten', 'attached-under-another-id'];
/** One that the first script of a seed does not show. */
const RARE = 'more-than-half';

describe('ionclad zoo', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-zoo-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('finds bugs, shrinks them and ends with 0', async () => {
    const { code, out } = await record(['zoo', ...EASY, '--seeds', '2']);
    expect(code).to.equal(0);
    expect(out).to.match(
      /^bug +origin +needs +found +commands +length +worst +known +proven +fired first\niommu\n/,
    );
    expect(out).to.match(/^ {2}attached-under-another-id +IO-27 +2\/2 +\d+ +\d+ +\d+ +\d+ +\d+ {2}I6 /m);
    expect(out).to.match(/^ {2}detach-forgotten +2\/2 +\d+ +\d+ +\d+ +\d+ +\d+ {2}I6 /m);
    expect(out).to.match(/^2 of 2 bugs found in every hunt, [\d,]+ commands spent$/m);
    expect(out).to.include('at most 6,000 scripts, drawn from seeds 1 to 2\n');
  });

  it('takes layers, needs and names of targets', async () => {
    const { out } = await record([
      'zoo',
      'zoo/no-vmalloc-fallback',
      'dma-buf',
      '--needs',
      'fragmentation',
      '--json',
    ]);
    const { bugs } = JSON.parse(out) as { readonly bugs: readonly { readonly bug: string }[] };
    expect(bugs.map(({ bug }) => bug)).to.deep.equal(['no-vmalloc-fallback']);
    expect(await record(['zoo', 'dma-buf', '--needs', 'fragmentation'])).to.include({
      code: 4,
      out: 'nothing ran',
    });
  });

  it('ends with 5 when a bug is not found within the scripts, and says which', async () => {
    const { code, out } = await record(['zoo', RARE, '--scripts', '1']);
    expect(code).to.equal(5);
    expect(out).to.match(/^ {2}more-than-half +0\/1 +- +- +- +\d+ +\d+ {2}-$/m);
    expect(out).to.match(
      /^0 of 1 bug found in every hunt, \d+ commands? spent\n1 of 1 shortest case proven .*\nmissed: more-than-half, /m,
    );
  });

  it('gives the same bytes for any number of threads', async () => {
    const line = ['zoo', ...EASY, '--seeds', '2', '--seed', '5', '--json'];
    const one = await record([...line, '--threads', '1']);
    const two = await record([...line, '--threads', '2']);
    expect(one.out).to.equal(two.out).and.not.include('"ms"');
    expect(JSON.parse(one.out)).to.deep.include({ command: 'zoo', exitCode: 0, seeds: [5, 6] });
  });

  it('hunts what `run` would find', async () => {
    const bug = ZOO.find(({ name }) => name === 'stale-iotlb') ?? expect.fail('there is no such bug');
    const { found, ...spent } = hunt(bug, 3, 6000);
    const { out } = await record([
      'run',
      '--target',
      'zoo/stale-iotlb',
      '--seed',
      '3',
      '--cases',
      folder,
      '--json',
    ]);
    const run = JSON.parse(out) as { readonly commands: number; readonly found: { readonly index: number } };
    expect(found?.finding.serves).to.equal('I1');
    expect(found?.index).to.equal(run.found.index);
    expect(spent).to.deep.equal({
      bug: 'stale-iotlb',
      seed: 3,
      scripts: run.found.index + 1,
      commands: run.commands,
    });
  });

  it('keeps the shortest case of each bug, whatever stood there', async () => {
    const [first = '', second = ''] = EASY;
    await record(['zoo', ...EASY, '--cases', folder]);
    const files = EASY.map((name) => join(folder, `${name}.case.json`));
    expect(readdirSync(folder).sort()).to.deep.equal(EASY.map((name) => `${name}.case.json`).sort());
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const kept = readCase(texts[0] ?? '', first);
    expect(kept.expect).to.deep.equal({ [`zoo/${first}`]: 'broken', builtin: 'holds' });

    const { commands } = kept.script;
    const longer = { ...kept, script: { ...kept.script, commands: [{ op: 'drain' }, ...commands] } };
    writeFileSync(files[0] ?? '', JSON.stringify(longer));
    writeFileSync(files[1] ?? '', '{');
    const again = await record(['zoo', ...EASY, '--cases', folder]);
    expect(again.err).to.include(`${second}.case.json: `);
    writeFileSync(files[1] ?? '', (texts[1] ?? '').replace(/"clause": "[^"]*"/, '"clause": "another"'));
    await record(['zoo', second, '--scripts', '1', '--cases', folder]);
    expect(files.map((file) => readFileSync(file, 'utf8'))).to.deep.equal(texts);

    writeFileSync(files[0] ?? '', JSON.stringify({ ...kept, script: { ...kept.script, commands: [] } }));
    expect((await record(['zoo', first, '--cases', folder])).err).to.include(
      'does not show detach-forgotten as I6',
    );
    expect(readFileSync(files[0] ?? '', 'utf8')).to.equal(texts[0]);
  });

  it('leaves a kept case alone that is shorter than what was found', async () => {
    const [name = ''] = EASY;
    await record(['zoo', name, '--cases', folder]);
    const file = join(folder, `${name}.case.json`);
    const text = readFileSync(file, 'utf8').replace(/"title": .*/, '"title": "by hand",');
    writeFileSync(file, text);
    await record(['zoo', name, '--cases', folder]);
    expect(readFileSync(file, 'utf8')).to.equal(text);
  });

  it('writes the curve and the page, and says where it cannot', async () => {
    const files = ['--curve', join(folder, 'zoo.svg'), '--markdown', join(folder, 'zoo.md')];
    expect(await record(['zoo', ...EASY, ...files])).to.include({ code: 0 });
    expect(readFileSync(join(folder, 'zoo.svg'), 'utf8')).to.include(
      '2 of 2 hunts for 2 bugs have found theirs',
    );
    expect(readFileSync(join(folder, 'zoo.md'), 'utf8'))
      .to.include('](zoo.svg)\n')
      .and.include('`detach-forgotten`');
    const { code, err } = await record(['zoo', ...EASY, '--curve', join(folder, 'zoo.md', 'zoo.svg')]);
    expect(code).to.equal(2);
    expect(err).to.include('zoo.svg cannot be written: ');
  });

  it('lists what is not re-created, without a hunt', async () => {
    const { code, out } = await record(['zoo', '--missing']);
    expect(code).to.equal(0);
    expect(out)
      .to.match(/^[^\n]+\n {2}[A-Z]+-\d+, \d{4}/)
      .and.to.match(/\n\d+ historic bugs: \d+ re-created, \d+ not yet$/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).to.be.at.most(110);
    const { origins } = JSON.parse((await record(['zoo', '--missing', '--json'])).out) as {
      origins: object[];
    };
    expect(out).to.include(`${origins.length} historic bugs`);
  });

  it('hears of Ctrl-C and tells what it had', async () => {
    const { code, out, err } = await record(['zoo'], AbortSignal.abort());
    expect({ code, out, err }).to.deep.equal({ code: 130, out: 'nothing ran', err: 'ionclad: interrupted' });
  });
}).timeout(60_000);
