import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { record } from './main.ts';

const EXAMPLE = join(import.meta.dirname, '../../targets/examples/pages.py');
const ZOO = join(import.meta.dirname, '../../counterexamples/zoo');
const caseOf = (bug: string): string => join(ZOO, `${bug}.case.json`);

/** Runs a session of these lines. */
const stepped = (lines: readonly string[], ...args: readonly string[]): ReturnType<typeof record> =>
  record(
    ['explore', '--step', ...args],
    undefined,
    Readable.from([lines.map((line) => `${line}\n`).join('')]),
  );

const said = async (lines: readonly string[], ...args: readonly string[]): Promise<string> =>
  (await stepped(lines, ...args)).out;

const TINY = `\
pages: the buddy allocator: every way of splitting and merging four pages
builtin, at boot, 0 commands ahead; machine: vmallocPages 2, parked 0, pages 4, orderMax 2
> alloc
   1  alloc_pages(order 0)
   2  alloc_pages(order 1)
   3  alloc_pages(order 2)
> 2
   1  block1 = alloc_pages(order 1)
      allowed  pfn 0 or 2
               by the rows: a block aligned to its own size (S1); a block that nobody holds (C1)
      answered pfn 0
      changed  kind        page 0-1: free -> a block
               head        page 0-1: nothing -> the object at page 0
               index       page 1: 0 -> 1
               freeOrder   page 0: 3 -> 0; page 2: 0 -> 2
               counter     free: 4 -> 2
> alloc_pages(order 2)
   2  block2 = alloc_pages(order 2)
      allowed  ENOMEM is owed: nobody could have such a block (P1)
      answered ENOMEM
> p
    1  block1 = alloc_pages(order 1)
    2  block2 = alloc_pages(order 2)
>      then everything is given back
> b
builtin, after step 1, 1 command ahead; machine: vmallocPages 2, parked 0, pages 4, orderMax 2
> s
kind        page 0-1: a block
head        page 0-1: the object at page 0
index       page 1: 1
freeOrder   page 0: 0; page 2: 2
counter     free: 2
> n
   2  block2 = alloc_pages(order 2)
      allowed  ENOMEM is owed: nobody could have such a block (P1)
      answered ENOMEM
> x
builtin, after step 2, 0 commands ahead; machine: vmallocPages 2, parked 0, pages 4, orderMax 2
> c
pages    1-3 alloc_pages, 4 free_pages
> n
   3  free_pages(block 0)
      allowed  success
      answered ok
      changed  kind        page 0-1: a block -> free
               head        page 0-1: the object at page 0 -> nothing
               index       page 1: 1 -> 0
               freeOrder   page 0: 0 -> 3; page 2: 2 -> 0
               counter     free: 2 -> 4
> q`;

const CASE = `\
unmapping does not invalidate the IOTLB
zoo/stale-iotlb, at boot, 4 commands ahead; machine: all defaults
> a iommu_domain_alloc(type dma)
iommu_domain_alloc(type dma)
  domain 0 to 3
  by the rows: an id that is not in use (C5)
> n 2
   1  domain1 = iommu_domain_alloc(type dma)
      allowed  domain 0 to 3
               by the rows: an id that is not in use (C5)
      answered domain 0
      changed  kind        page 0: free -> a page table
               freeOrder   page 0: 4 -> 0; page 1: 0 -> 1; page 2: 0 -> 2; page 4: 0 -> 3
               line        page 0 line 0-3: 165 in memory -> 0 in memory
               context     context 0: none -> a DMA domain
               counter     free: 64 -> 63; table: 0 -> 1
   2  attachment1 = iommu_attach_device(domain 0, device 0)
      allowed  device 4
               by the rows: the device that was asked for (P1)
      answered device 4
      changed  device      device 0: no domain -> domain 0
> f
   5  dma_free_coherent(coherent 4096)
      allowed  flushes 0
               by the rows: flushes go up, and only where unmapped ranges wait for one (P1)
      answered flushes 0
      changed  kind        page 1: coherent memory -> free; page 2: a page table -> free; page 3-4: a
                 page table -> parked
               head        page 1: the object at page 1 -> nothing
               freeOrder   page 1-2: 0 -> 1
               line        page 2 line 0, page 4 line 0: 4 in memory -> 0 in memory; page 3 line 0: 5 in
                 memory -> 0 in memory
               reach       context 0 I/O page 1: page 1 (rw) -> nothing
               counter     free: 57 -> 59; table: 6 -> 3; vmallocHole: 62 -> 64; parked: 0 -> 2;
                 vmallocUsed: 2 -> 0
               mapped      mapped page 0: page 1, uncached -> nothing
      ! dma_free_coherent(coherent 4096): I1 broken: context 0 at 0x40: the IOTLB still translates to page 1
> n
the target disagreed with the specification; what follows means nothing: go back
> 1
the target disagreed with the specification; what follows means nothing: go back
> b
zoo/stale-iotlb, after step 4, 0 commands ahead; machine: all defaults
> s
kind        page 0, page 2-6: a page table; page 1: coherent memory
head        page 1: the object at page 1
freeOrder   page 0: 0; page 7: 1
line        page 0 line 0: 24 in memory; page 0 line 1-3, page 1 line 0-3, page 2 line
  1-3, page 3 line 1-3, page 4 line 1-3, page 5 line 1-3, page 6 line 0-3: 0 in memory;
  page 2 line 0, page 4 line 0: 4 in memory; page 3 line 0: 5 in memory; page 5 line 0: 28
  in memory
reach       context 0 I/O page 1: page 1 (rw)
iotlb       context 0 I/O page 1: page 1 (rw)
context     context 0: a DMA domain
counter     free: 57; table: 6; vmallocHole: 62; vmallocUsed: 2
device      device 0: domain 0
mapped      mapped page 0: page 1, uncached`;

describe('ionclad explore --step', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-step-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('makes calls by number and by name, goes back and on, and tells all of it', async () => {
    const lines = [
      'alloc',
      '2',
      'alloc_pages(order 2)',
      'p',
      'b',
      's',
      'n',
      'x',
      'c',
      'n',
      'q',
      'never read',
    ];
    const { code, out } = await stepped(lines, '--scope', 'pages');
    expect(out).to.equal(TINY);
    expect(code).to.equal(0);
  });

  it('goes along a case to what is found in it, and not beyond', async () => {
    const lines = ['a iommu_domain_alloc(type dma)', 'n 2', 'f', 'n', '1', 'b', 's'];
    expect(await said(lines, caseOf('stale-iotlb'))).to.equal(CASE);
  });

  it('puts a call in on the way, and keeps what is ahead', async () => {
    // The entry that should not outlive its mapping is thrown out before anything could be found.
    const out = await said(['g 4', 'tick_iotlb(entry 0)', 'p', 'f'], caseOf('stale-iotlb'));
    expect(out).to.include('\n    5  tick_iotlb(entry 0)\n');
    expect(out).to.match(/> f\nnothing is found along what was ahead$/);
    const without = await said(['g 4', 'f'], caseOf('stale-iotlb'));
    expect(without).to.match(/I1 broken: [^\n]*$/);
  });

  it('goes along calls that overlap, actor by actor', async () => {
    const out = await said(['g 5', 'n 3', 'n', 'b', 'p', '1', 'x', 'w x'], caseOf('late-reference'));
    const steps = out.split('\n').filter((line) => /^( +\d+ {2}\w+: | {6}(stops|answered|!))/.test(line));
    expect(steps).to.deep.equal([
      '   6  b: ion_free(client 0, handle 1)',
      '      stops at its switch point 1',
      '   7  b: ion_free(client 0, handle 1)',
      '      answered ok',
      '   8  main: binding1 = gpu_bind(context 0, handle 1, access both)',
      '      answered address 64',
      '      ! ion_free(client 0, handle 1): C1 broken: kind[2] is parked, the specification says a buffer',
    ]);
    expect(out).to.include('after step 7, 0 commands ahead');
    expect(out.match(/calls overlap here: go along them; the script stays as it is/g)).to.have.lengthOf(3);
    const right = await said(['f', 'b'], caseOf('late-reference'), '--target', 'builtin');
    expect(right).to.include('nothing is found along what was ahead');
  });

  it('goes along a case with its fault', async () => {
    const out = await said(['f'], caseOf('lost-in-the-split'));
    expect(out).to.match(/found by the property fault, of which a walk shows one run/);
    expect(out).to.match(/ fails at \d/);
  });

  it('goes along the case on another target too', async () => {
    const out = await said(['f'], caseOf('stale-iotlb'), '--target', 'builtin');
    expect(out).to.include('\nbuiltin, at boot, 4 commands ahead');
    expect(out).to.match(/nothing is found along what was ahead$/);
  });

  it('explores for a shortest script, and goes along it', async () => {
    const out = await said(['e', 'p'], '--scope', 'gpu', '--target', 'zoo/freed-while-bound');
    expect(out).to.match(
      /\n {3}5 {2}ion_free\([^\n]*\n {6}allowed {2}[\s\S]*\n {6}! ion_free[^\n]*I2 broken/,
    );
    expect(await said(['1', 'e', 'p'], '--scope', 'pages')).to.match(
      /holds for every script: 26 states[^\n]*\n> p\n {4}1 {2}block1 = alloc_pages\(order 0\)\n> {6}then/,
    );
  });

  it('writes the path as a script, which replay runs', async () => {
    const file = join(folder, 'path.json');
    const out = await said(['n 4', `w ${file}`, 'w', 'w /proc/none'], caseOf('stale-iotlb'));
    expect(out).to.include(
      `\n4 commands in ${file}\n> w\nw FILE: where to?\n> w /proc/none\n/proc/none cannot be`,
    );
    const written = readCase(readFileSync(file, 'utf8'), file).script.commands;
    expect(written.map(({ op }) => op)).to.have.ordered.members([
      'iommu_domain_alloc',
      'iommu_attach_device',
      'dma_alloc_coherent',
      'device_read',
    ]);
    expect((await record(['replay', file, '--target', 'zoo/stale-iotlb'])).code, 'freeing shows it').to.equal(
      1,
    );
    expect((await record(['replay', file])).code).to.equal(0);
  });

  it('offers no call once everything was given back, and does again on the way back', async () => {
    const out = await said(['1', 'c', 'f', 'c', '1', 'g 1', 'c'], '--scope', 'pages');
    const [, first, second, third] = out.split(/^> c$/m);
    expect([first, second, third].map((text) => text?.split('\n')[1])).to.deep.equal([
      'pages    1-3 alloc_pages, 4 free_pages',
      'no call can be made',
      'pages    1-3 alloc_pages, 4 free_pages',
    ]);
    expect(second).to.include('\n> 1\neverything is being given back; go back to make calls\n');
  });

  it('injects a fault, and says what it may cause', async () => {
    const out = await said(['alloc_pages(order 0, page fails at 1)', 'p'], '--scope', 'pages');
    expect(out).to.include(
      '\n               or ENOMEM, if page fails\n      answered ENOMEM, failed: page\n',
    );
    expect(out).to.include('alloc_pages(order 0) /* page fails at 1 */');
  });

  it('steps on a process, which goes back by starting anew', async () => {
    const lines = [
      'alloc_pages(order 1)',
      'alloc_pages(order 0)',
      'b',
      'free_pages',
      '4',
      'f',
      'kmalloc(bytes 8)',
    ];
    const target = ['--target', 'process', '--', 'python3', EXAMPLE];
    const out = await said(lines, '--scope', 'pages', ...target);
    expect(out).to.include('\npages.py, after step 1, 1 command ahead;');
    expect(out).to.match(/nothing is found along what was ahead/);
    expect(out).to.match(/pages.py has no kmalloc$|everything is being given back/);
    const leaking = await said(['alloc_pages(order 1)', 'f'], '--scope', 'pages', ...target, '--bug', 'leak');
    expect(leaking).to.match(/something is left\n {6}! free_pages[^\n]* C3 broken: 3 pages are counted free/);
  });

  it('answers what it cannot do, and goes on', async () => {
    const lines = [
      '99',
      'alloc_pages(ordr 1)',
      'alloc_pages()',
      'alloc_pages(order x)',
      'frobnicate',
      'a',
      'e',
    ];
    const module = join(folder, 'forgetful.mjs');
    writeFileSync(
      module,
      `const own = { boot() {}, apply: () => ({ ok: {} }), observe() {} };
       export const target = { name: 'forgetful', capabilities: new Set(), ...own };\n`,
    );
    const out = await said(
      [...lines, 'free_pages(block 3)'],
      '--scope',
      'pages',
      '--target',
      `module:${module}`,
    );
    expect(out.split('\n').slice(2)).to.deep.equal([
      '> 99',
      'there is no call 99; c lists them',
      '> alloc_pages(ordr 1)',
      'alloc_pages has no argument "ordr"; it has order',
      '> alloc_pages()',
      'alloc_pages needs order',
      '> alloc_pages(order x)',
      'alloc_pages: order: "x" cannot be read',
      '> frobnicate',
      'no call has "frobnicate" in it',
      '> a',
      'there is no call ""; c lists them',
      '> e',
      'forgetful cannot go back to an earlier state: no search',
      '> free_pages(block 3)',
      'its caller may not make it: the block is allocated',
    ]);
  });

  it('ends when it is interrupted', async () => {
    const args = ['explore', '--step', '--scope', 'pages'];
    const { code, err } = await record(args, AbortSignal.timeout(50), new PassThrough());
    expect({ code, err }).to.deep.equal({ code: 130, err: 'ionclad: interrupted' });
  });

  it('refuses what cannot be stepped along', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => (await stepped([], ...args)).err;
    expect(await refused('--scope', 'pages,gpu')).to.equal('ionclad: --scope: --step takes one');
    expect(await refused(caseOf('stale-iotlb'), '--scope', 'gpu')).to.match(/--scope: not with a case/);
    expect(await refused(caseOf('stale-iotlb'), '--machine', 'pages=4')).to.match(
      /--machine: not with a case/,
    );
    const elsewhere = await refused(
      caseOf('late-reference'),
      '--target',
      'process',
      '--',
      'python3',
      EXAMPLE,
    );
    expect(elsewhere).to.equal('ionclad: pages.py cannot interrupt calls: no schedules');
    expect(await refused('--scope', 'pages', '--json')).to.equal('ionclad: --json: not with --step');
    expect(await refused('/does/not/exist')).to.match(/there is no such file/);
  });
});
