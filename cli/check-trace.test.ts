import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { record } from './main.ts';

const at = (seconds: string, event: string): string => `dd-200     [000] d..1. ${seconds}: ${event}\n`;
const range = (iova: string, end: string): string => `IOMMU: iova=0x${iova} - 0x${end}`;
const MAP = at('1.000001', `map: ${range('fffff000', '100000000')} paddr=0x0000000001056000 size=4096`);
const UNMAP = at('1.000009', `unmap: ${range('fffff000', '100000000')} size=4096 unmapped_size=4096`);
const SHORT = at('1.000009', `unmap: ${range('fffff000', '100000000')} size=4096 unmapped_size=0`);
const FREE = at('1.000005', 'mm_page_free: page=00000000f1 pfn=0x1056 order=0');

describe('ionclad check-trace', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-trace-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string, bytes: string | Buffer): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const check = (...args: readonly string[]): ReturnType<typeof record> => record(['check-trace', ...args]);

  it('ends with 0 where everything held, with 1 where something is certainly wrong', async () => {
    const held = await check(file('held.txt', MAP + UNMAP));
    expect([held.code, held.err]).to.deep.equal([0, '']);
    const wrong = await check(file('wrong.txt', MAP + SHORT));
    expect([wrong.code, wrong.err]).to.deep.equal([1, '']);
    expect(wrong.out).to.include('unmap-unknown');
    expect((await check(file('freed.txt', MAP + FREE + UNMAP))).code).to.equal(1);
  });

  it('checks the other files where one cannot be read, and tells of it', async () => {
    const args = [
      file('dat', '\x17\x08Dtracing'),
      folder,
      file('good.gz', gzipSync(MAP + UNMAP)),
      `${folder}/no`,
    ];
    const { code, out, err } = await check('--json', ...args);
    expect(code).to.equal(2);
    expect(JSON.parse(out).reports).to.have.length(1);
    expect(JSON.parse(out)).to.have.nested.property('reports[0].coverage.died', 1);
    const advice = `try: trace-cmd report ${args[0]} | ionclad check-trace -`;
    expect(err.split('\n')).to.deep.equal([
      `ionclad: ${args[0]}: this is a trace.dat of trace-cmd, not text; ${advice}`,
      `ionclad: ${folder}: it is a folder; name the files in it`,
      `ionclad: ${folder}/no: there is no such file`,
    ]);
  });

  it('ends with 4 where nothing is in it that can be checked', async () => {
    const empty = file('empty.txt', '');
    const other = file('other.txt', `# tracer: nop\n${FREE}`);
    const advice = 'see ionclad check-trace --help for events';
    for (const [path, why] of [
      [empty, 'it is empty'],
      [other, 'no such event in 2 lines'],
    ] as const) {
      const { code, err } = await check(path);
      expect([code, err]).to.deep.equal([4, `ionclad: ${path}: nothing to check: ${why}; ${advice}`]);
    }
  });

  it('checks what is left of a file that was cut, and says so', async () => {
    const packed = gzipSync(Buffer.from((MAP + UNMAP).repeat(2_000)));
    const { code, out } = await check(file('cut.gz', packed.subarray(0, packed.length / 2)));
    expect(code).to.equal(0);
    expect(out).to.include('its gzip data ends early');
    const half = await check(file('half.txt', MAP + SHORT.slice(0, -2)));
    expect(half.out).to.include('its last line has no end, and is left out');
    expect(half.code).to.equal(0);
  });

  it('tells what it had at Ctrl-C', async () => {
    const controller = new AbortController();
    const input = new PassThrough();
    input.write(MAP + SHORT);
    setTimeout(() => controller.abort(), 50);
    const { code, out, err } = await record(['check-trace', '-'], controller.signal, input);
    expect([code, err]).to.deep.equal([130, 'ionclad: interrupted']);
    expect(out).to.include('unmap-unknown');
    expect(out).to.include('it was interrupted');
  });

  for (const [args, problem] of [
    [['--strict', '--lazy', 'x'], '--strict and --lazy exclude each other'],
    [['-', '-'], '-: it can be read only once'],
  ] as const)
    it(`refuses ${args.join(' ')}`, async () =>
      expect(await check(...args)).to.deep.equal({ code: 2, out: '', err: `ionclad: ${problem}` }));
});
