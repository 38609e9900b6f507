import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readCase } from '../counterexamples/index.ts';
import { writeTrace } from '../traces/index.ts';
import { record } from './main.ts';

const at = (line: number) => ({ line, time: line * 1_000_000, cpu: 0, task: 'driver', pid: 7 });
const map = (line: number, iova: number, paddr: number) =>
  ({ kind: 'map', ...at(line), iova, paddr, size: 4096 }) as const;
const unmap = (line: number, iova: number) =>
  ({ kind: 'unmap', ...at(line), iova, size: 4096, unmapped: 4096 }) as const;
const page = (kind: 'page-alloc' | 'page-free', line: number, pfn: number) =>
  ({ kind, ...at(line), pfn, order: 0, gfp: '', batched: false }) as const;

/** A page is freed while a device reaches it; much else is in order. */
const FREED = [
  page('page-alloc', 1, 0x80),
  map(2, 0xfffff000, 0x80_000),
  map(3, 0xffffe000, 0x90_000),
  unmap(4, 0xffffe000),
  page('page-free', 5, 0x80),
  map(6, 0xffffe000, 0x90_000),
  unmap(7, 0xffffe000),
  unmap(8, 0xfffff000),
];

const CALM = FREED.filter(({ line }) => line !== 5);

describe('ionclad check-trace --script', function () {
  this.timeout(20_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-trace-script-'));
    writeFileSync(join(folder, 'freed.txt'), `${writeTrace(FREED)}\n`);
    writeFileSync(join(folder, 'calm.txt'), `${writeTrace(CALM)}\n`);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const check = (trace: string, ...more: readonly string[]) =>
    record(['check-trace', join(folder, trace), '--script', join(folder, 'out.case.json'), ...more]);

  it('writes the finding as a case that replays and shrinks, and says that the specification agrees', async () => {
    const { code, out } = await check('freed.txt');
    expect(code, out).to.equal(1);
    expect(out)
      .to.include('  tells      finding 1 in 5 commands, from 3 events\n')
      .and.to.include(
        'the specification agrees: free_pages(block 0): its caller breaks a duty: "no device reaches it"',
      );
    const {
      property,
      expect: expected,
      finding,
      script,
      found,
    } = readCase(readFileSync(join(folder, 'out.case.json'), 'utf8'), 'out.case.json');
    expect({ property, expected, clause: finding?.clause }).to.deep.equal({
      property: { name: 'duty' },
      expected: { builtin: 'broken' },
      clause: 'no device reaches it',
    });
    expect(script.commands.map(({ op }) => op)).to.deep.equal([
      ...['iommu_domain_alloc', 'alloc_pages', 'iommu_map', 'free_pages', 'iommu_unmap'],
    ]);
    expect(found).to.have.property('by').that.equals('check-trace freed.txt');
    const replayed = await record(['replay', join(folder, 'out.case.json')]);
    expect(replayed.code).to.equal(1);
    const shrunk = await record(['shrink', join(folder, 'out.case.json')]);
    expect(shrunk.out).to.include('its caller breaks a duty');
  });

  it('writes the beginning where nothing was found, or where that is asked for', async () => {
    const calm = await check('calm.txt');
    expect(calm.code, calm.out).to.equal(0);
    expect(calm.out)
      .to.include('  tells      the beginning of the trace in 9 commands, from 7 events\n')
      .and.to.include('the specification finds nothing wrong in it\n');
    expect((await record(['replay', join(folder, 'out.case.json')])).code).to.equal(0);
    const asked = await check('freed.txt', '--events', '3', '--json');
    const { script } = JSON.parse(asked.out) as { readonly script: Record<string, unknown> };
    expect(script).to.deep.equal({
      ...{ file: join(folder, 'out.case.json'), commands: 5, events: 3, left: 0, verdict: 'none' },
    });
  });

  it('refuses what does not go together, and findings that there are not', async () => {
    const file = join(folder, 'freed.txt');
    const problem = async (...args: readonly string[]): Promise<string> => {
      const { code, err } = await record(['check-trace', ...args]);
      expect(code, err).to.equal(2);
      return err;
    };
    expect(await problem(file, '--finding', '1')).to.include('--finding: only with --script');
    expect(await problem(file, '--events', '1')).to.include('--events: only with --script');
    const out = join(folder, 'none.json');
    expect(await problem(file, file, '--script', out)).to.include('--script: for one file, not for 2');
    expect(await problem(file, '--script', out, '--finding', '1', '--events', '2')).to.include('exclude');
    expect(await problem(file, '--script', out, '--finding', '0')).to.include('an integer from 1');
    expect(await problem(file, '--script', out, '--finding', '9')).to.include('--finding: there is no 9');
    expect(await problem(file, '--script', join(out, 'x', 'y'), '--events', '0')).to.include('--events');
  });
});
