import { expect } from 'chai';
import * as fc from 'fast-check';
import type { TraceEvent } from '../event.ts';
import { TraceParser } from './parse.ts';
import { SAMPLES } from './samples.test.ts';

const NEWLINE = 0x0a;
const PLACE = 64 * 1024;

/** What would go on with a line that has no end: digits, words, a head, more of a list. */
const HOSTILE = [
  '0',
  'f',
  ' ',
  '\0',
  '\xff',
  ',0x1000}',
  ' size=4096',
  '] 1.0: map: IOMMU: iova=0x1 ',
  ']: ',
];

/** A sample with some bytes put in, of any value but the end of a line. */
const line = fc
  .tuple(
    fc.constantFrom(...SAMPLES),
    fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
  )
  .map(([text, changes]) => {
    const bytes = Buffer.from(text, 'latin1');
    for (const [at, code] of changes) if (at < bytes.length) bytes[at] = code === NEWLINE ? 0 : code;
    return bytes;
  });

/** Alone in an array of its own. */
function readAlone(parser: TraceParser, bytes: Buffer): TraceEvent | undefined {
  const own = Uint8Array.from([...bytes, NEWLINE]);
  return parser.read(own, 0, bytes.length);
}

const heardOf = ({ heard }: TraceParser): object => ({ ...heard, seen: heard.seen });

/** Of UTF-8, as Node decodes it. */
const decoded = (bytes: readonly number[]): string => Buffer.from(bytes).toString('utf8');

describe('a line among other bytes', () => {
  it('is read as alone, whatever is around it, and whatever becomes of its place', () => {
    const place = new Uint8Array(PLACE);
    const put = fc.tuple(line, fc.nat(99), fc.constantFrom(...HOSTILE), fc.constantFrom('\n', '\r\n'));
    fc.assert(
      fc.property(fc.array(put, { maxLength: 30 }), (lines) => {
        const alone = new TraceParser();
        const among = new TraceParser();
        for (const [bytes, from, hostile, end] of lines) {
          place.fill(Buffer.from(hostile, 'latin1')[0] ?? 0, 0, from);
          place.set(bytes, from);
          const to = from + bytes.length;
          place.set(Buffer.from(end + hostile.repeat(40), 'latin1'), to);
          expect(among.read(place, from, to)).to.deep.equal(readAlone(alone, bytes));
        }
        expect(heardOf(among)).to.deep.equal(heardOf(alone));
      }),
      { numRuns: 300 },
    );
  });

  it('holds text as UTF-8, where it is that', () => {
    const words = fc
      .uint8Array({ minLength: 1, maxLength: 16 })
      .filter(
        (bytes) =>
          bytes.every((code) => code > 0x20 && code !== 0x7f) && !/[[\](-]/.test(decoded([...bytes])),
      );
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 8 }), (names) => {
        const parser = new TraceParser();
        for (const name of [...names, ...names]) {
          const head = [0x20, ...name, ...Buffer.from('-7 [001] ..... 2.500000: ')];
          const text = [...Buffer.from('tracing_mark_write: '), ...name];
          const task = decoded([...name]);
          const event = readAlone(parser, Buffer.from([...head, ...text]));
          expect(event).to.include({ kind: 'mark', task, text: task, pid: 7, cpu: 1 });
        }
      }),
    );
  });

  it('keeps a mark of the order of bytes, and a NUL', () => {
    const text = '\ufeffa\0b';
    expect(new TraceParser().parse(`${text}-7 [001] 2.5: print: ${text}`)).to.include({ task: text, text });
  });

  it('says first what is said twice, in whatever order it is asked for', () => {
    const head = 'dd-147 [000] ..... 1.500000: ';
    for (const [text, said] of [
      ['unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=0 size=1 iova=0x9000', { iova: 4096, size: 4096 }],
      ['map: IOMMU: size=4096 iova=0x1000 size=1 paddr=0x2000 paddr=0x3000', { size: 4096, paddr: 0x2000 }],
      ['map: IOMMU: dev=a iova=0x1000 paddr=0x2000 size=4096 dev=b', { iova: 4096, device: 'a' }],
      ['mm_page_free: order=1 pfn=2 page=3 order=4 pfn=5', { pfn: 2, order: 1 }],
    ] as const)
      expect(new TraceParser().parse(head + text), text).to.include(said);
  });
});
