import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { UsageError } from './exit.ts';
import { recordingSession } from './session.ts';
import { readTrace } from './trace-input.ts';
import { LINE_BYTES, type TakeLine } from './trace-lines.ts';

/** {@link NUMBERED} as `zstd -19` packs it, with a checksum. */
const PACKED =
  'KLUv/WRNFl0QAObzYxWAKYUcxMiM8AUzcLxJ7opInwp0SXtlAFoAWwCktCkdDQla5Pk9E6HStsCz0mjIxOH3yEOMOHFUL4LC' +
  'Wp8YSxCr34Z9iKTz+DBvcChkNNV5eCRMXTMLp6RrcNIQt8jd+SaEkbwFyVYxIRaHz48GgIAABQgSDAoGAw4MwkCAAQIFAuLU' +
  'ipiQ1qfjCCKqtzP0EyKVt4c5g6uIUaiOw5cY85pR+CRcy0VDXETs/gsjazGSVUzF4ZDTo4egz4RVtwhyWvrGTII0ns+YMiQj' +
  'ew8OGxYKu1DcPjbiXzRdCHFzrplwSbaSa0M8RMT19wlhRl6IXBVDcR1xysgh6J8M2ymCfBa+nUWQRmYzXk5IxtZjQ4ZVYQ+K' +
  'tI5dgj+XqQInbUi3EUEReXx/YkI1LfCrMFpZOPwy4hAXZwG6J2eniyCXZS9nDdLELAyXD8mM/dBwYVTYS4lWYpbg/zLTQEmb' +
  '0Ww0GCKP3J546GgLvCqLUlaHP0YkhMVPnKkjJJz14bhBQpXNDP1DRurpYb5gKjoG1ZGwJYEsqCEIkd8/A2F7DREkBCsEQz/H' +
  'gEp0gw0gpgwzHswqkdM5tGgMFCDQh90SIjDWAgNsgrlNMi1qSNmG3bIC0+SaW4E+Sk1QIk54kBBmZ8mgGvgqKDOmPygovD4W' +
  'qNPrKscFb2J58d1YgU6v674S/FnVJrGrvE4BVRUckji2';
const NUMBERED = Array.from({ length: 300 }, (_, at) => `line ${(at * 7919) % 1000} of a trace`);

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const BLOCK_BYTES = 1 << 17;

/** A block of zstd: the bytes as they are, or (where `times` is given) one byte so many times. */
function block(bytes: Buffer, isLast: boolean, times?: number): Buffer {
  const header = Buffer.alloc(3);
  const isRepeated = times !== undefined;
  header.writeUIntLE((isLast ? 1 : 0) | (isRepeated ? 2 : 0) | ((times ?? bytes.length) << 3), 0, 3);
  return Buffer.concat([header, bytes]);
}

/** A frame of zstd that is not compressed, in blocks, and a frame to be skipped before it. */
function zstdOf(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(block(bytes.subarray(at, at + BLOCK_BYTES), false));
  const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  return Buffer.concat([skipped, Buffer.from([...MAGIC, 0, 0x38]), ...blocks, block(Buffer.alloc(0), true)]);
}

interface Read {
  readonly lines: readonly string[];
  readonly early: string | undefined;
}

/** What is read where these bytes come over standard input in these pieces. */
async function read(pieces: Iterable<Buffer> | AsyncIterable<Buffer>, signal?: AbortSignal): Promise<Read> {
  const lines: string[] = [];
  const reader = {
    line: (...[bytes, from, to]: Parameters<TakeLine>) =>
      void lines.push(Buffer.from(bytes).toString('utf8', from, to)),
    read() {},
  };
  const input = Readable.from(pieces, { objectMode: false });
  return { early: await readTrace('-', reader, recordingSession(signal, input)), lines };
}

async function refusal(bytes: Buffer): Promise<string> {
  try {
    await read([bytes]);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.message;
    throw cause;
  }
  return 'nothing was refused';
}

function* cutAt(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Bytes of a text in so many parts, each packed alone. */
function packed(how: 'plain' | 'gzip' | 'zstd', bytes: Buffer, parts: number): Buffer {
  const pack = { plain: (part: Buffer) => part, gzip: (part: Buffer) => gzipSync(part), zstd: zstdOf }[how];
  return Buffer.concat([...cutAt(bytes, [Math.ceil(bytes.length / parts)])].map(pack));
}

const WAYS = ['plain', 'gzip', 'zstd'] as const;

describe('reading a trace', () => {
  it('gives the same lines however they are packed and however the bytes come', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n]/g, ''))),
        fc.constantFrom(...WAYS),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (lines, how, parts, sizes) => {
          // So that no text begins like something else.
          const whole = ['#', ...lines];
          const bytes = packed(how, Buffer.from(`${whole.join('\n')}\n`), parts);
          expect(await read(cutAt(bytes, sizes))).to.deep.equal({ early: undefined, lines: whole });
        },
      ),
      { numRuns: 200 },
    ));

  it('reads what zstd itself compressed', async () => {
    const bytes = Buffer.from(PACKED, 'base64');
    const twice = Buffer.concat([bytes, bytes]);
    expect((await read([bytes])).lines).to.deep.equal(NUMBERED);
    expect(await read(cutAt(twice, [7]))).to.deep.equal({
      early: undefined,
      lines: [...NUMBERED, ...NUMBERED],
    });
  });

  it('takes lines of DOS', async () =>
    expect((await read([Buffer.from('one\r\n\r\ntwo\r\r\n')])).lines).to.deep.equal(['one', '', 'two\r']));

  for (const how of WAYS)
    it(`cuts a line that has no end in sight, ${how}`, async () => {
      const bytes = packed(how, Buffer.from(`first\n${'x'.repeat(5 * LINE_BYTES)}\nlast\n`), 1);
      const { lines } = await read(cutAt(bytes, [100_000]));
      expect(lines).to.deep.equal(['first', 'x'.repeat(LINE_BYTES), 'last']);
    });

  it('leaves out half a line at the end, and says so', async () =>
    expect(await read([Buffer.from('unmapped_size=4096\nunmapped_size=40')])).to.deep.equal({
      early: 'its last line has no end, and is left out',
      lines: ['unmapped_size=4096'],
    }));

  it('does not keep what a bomb unpacks to', async () => {
    const blocks = Array.from({ length: 500 }, () => block(Buffer.from('x'), false, BLOCK_BYTES));
    const end = block(Buffer.from('\n'), true);
    const bomb = Buffer.concat([Buffer.from([...MAGIC, 0, 0x38]), ...blocks, end]);
    expect(bomb.length).to.be.below(2_100);
    expect((await read([bomb])).lines.map(({ length }) => length)).to.deep.equal([LINE_BYTES]);
  });
});

describe('reading a trace that is broken', () => {
  const packages = {
    gzip: Buffer.concat([gzipSync('one\ntwo\n'), gzipSync(NUMBERED.map((line) => `${line}\n`).join(''))]),
    zstd: Buffer.concat([zstdOf(Buffer.from('one\ntwo\n')), Buffer.from(PACKED, 'base64')]),
  };
  const whole = ['one', 'two', ...NUMBERED];

  for (const [how, bytes] of Object.entries(packages)) {
    it(`reads ${how} that ends early as far as it goes`, async () => {
      const seen = new Set<number>();
      for (let length = 60; length < bytes.length; length += 1) {
        const { lines, early } = await read(cutAt(bytes.subarray(0, length), [50]));
        expect(early, `${length} bytes`).to.equal(`its ${how} data ends early`);
        expect(lines, `${length} bytes`).to.deep.equal(whole.slice(0, lines.length));
        seen.add(lines.length);
      }
      expect(Math.min(...seen)).to.equal(2);
      expect(Math.max(...seen)).to.equal(whole.length);
    });

    it(`comes to an end with ${how} whatever is in it`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.uint8Array({ minLength: 1, maxLength: 20 }),
          async (at, noise) => {
            const broken = Buffer.from(bytes);
            Buffer.from(noise).copy(broken, Math.max(at, 4));
            const outcome = await read(cutAt(broken, [50])).catch((cause: unknown) => cause);
            if (outcome instanceof UsageError) expect(outcome.message).to.match(/^-: its \w+ data /);
            else expect(outcome).to.have.keys('lines', 'early');
          },
        ),
        { numRuns: 300 },
      ));
  }

  it('says what is wrong where nothing came out', async () => {
    expect(await refusal(packages.gzip.subarray(0, 12))).to.equal('-: its gzip data ends early');
    expect(await refusal(packages.zstd.subarray(0, 20))).to.equal('-: its zstd data ends early');
    expect(await refusal(Buffer.from('\x1f\x8bnonsense', 'latin1'))).to.equal(
      '-: its gzip data is damaged: unknown compression method',
    );
  });

  it('ends with what there was at Ctrl-C', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('one\ntwo\nthr');
      for (let n = 0; ; n++) {
        yield Buffer.from('ee\n');
        await setImmediate();
        if (n === 20) controller.abort();
      }
    }
    const { lines, early } = await read(endless(), controller.signal);
    expect(early).to.equal('it was interrupted');
    expect(lines.slice(0, 3)).to.deep.equal(['one', 'two', 'three']);
  });
});

/** First bytes of files, each with what is said of them. */
const FOREIGN: readonly (readonly [bytes: string, problem: string])[] = [
  ['\x17\x08Dtracing6\0\0', 'a trace.dat of trace-cmd, not text; try: trace-cmd report FILE'],
  ['PERFILE2\x68\0', 'a perf.data, not text; try: perf script -i FILE'],
  ['2ELIFREP\0\0', 'a perf.data of another byte order, not text; try: perf script -i FILE'],
  ['\x0a\x85\x01\x32\x04\x08\x01\0', 'a Perfetto trace, not text; try: traceconv systrace FILE'],
  ['\xfd7zXZ\0\0', 'xz, not text; try: xz -dc FILE'],
  ['BZh91AY', 'bzip2, not text; try: bzip2 -dc FILE'],
  ['\x04\x22\x4d\x18d', 'lz4, not text; try: lz4 -dc FILE'],
  ['PK\x03\x04\x14', 'a zip archive, not text; try: unzip -p FILE'],
  ['\xff\xfe#\0', 'UTF-16, not text; try: iconv -f UTF-16 -t UTF-8 FILE'],
  ['\xfe\xff\0#', 'UTF-16, not text; try: iconv -f UTF-16 -t UTF-8 FILE'],
  [`${'\0'.repeat(257)}ustar\0`, 'a tar archive, not text; try: tar -xOf FILE NAME'],
  ['\x28\xb5\x2f\xfd\x00\x90\0', 'zstd with a window above 128 MiB, not text; try: zstd -dc --long=31 FILE'],
  [
    '\x28\xb5\x2f\xfd\xa0\x01\0\0\x08\0\0\0\0',
    'zstd with a window above 128 MiB, not text; try: zstd -dc --long=31 FILE',
  ],
];

describe('what is no trace', () => {
  for (const [bytes, problem] of FOREIGN)
    it(problem, async () =>
      expect(await refusal(Buffer.from(bytes, 'latin1'))).to.equal(
        `-: this is ${problem} | ionclad check-trace -`,
      ),
    );

  it('a program', async () =>
    expect(await refusal(Buffer.from('\x7fELF\x02'))).to.equal(
      '-: this is a program or a memory dump (ELF), not text',
    ));

  it('packed once more', async () => {
    expect(await refusal(gzipSync('PERFILE2'))).to.equal(
      '-: unpacked, this is a perf.data, not text; try: perf script -i FILE | ionclad check-trace -',
    );
    expect(await refusal(gzipSync(gzipSync('#\n')))).to.equal(
      '-: unpacked, this is gzip, not text; try: gzip -dc FILE | ionclad check-trace -',
    );
  });

  it('is not a text that begins with an empty line', async () =>
    expect((await read([Buffer.from('\n# tracer: nop\n')])).lines).to.deep.equal(['', '# tracer: nop']));

  it('is not a terminal, nor nothing', async () => {
    const reader = { line() {}, read() {} };
    const terminal = Object.assign(Readable.from([]), { isTTY: true as const });
    for (const input of [undefined, terminal]) {
      const reading = readTrace('-', reader, recordingSession(undefined, input));
      const said = await reading.catch((cause: unknown) => cause);
      expect(said).to.be.instanceOf(UsageError);
      expect(said).to.have.property('message', '-: standard input is a terminal; pipe a trace into it');
    }
  });
});
