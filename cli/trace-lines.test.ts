import { expect } from 'chai';
import * as fc from 'fast-check';
import { TraceParser } from '../traces/read/parse.ts';
import { Lines } from './trace-lines.ts';

const HEAD = 'dd-147 [000] ..... 1.500000: ';
const TEXTS = [
  `${HEAD}map: IOMMU: iova=0x00000000fff70000 - 0x00000000fff80000 paddr=0x000000000cece000 size=65536`,
  `  <idle>-0       [003] d.h1.     3.702152: unmap: IOMMU: iova=0xfffde000 size=4096 unmapped_size=4096`,
  `${HEAD}dma_unmap_sg: 0000:00:08.0 dir=NONE phys_addrs={0x1000,0x2000} attrs=`,
  `${HEAD}tracing_mark_write: \u{1f40c} \ufffd`,
  '# tracer: nop',
  '',
  'no line of a trace \0',
];

/** Bytes in pieces of these sizes, in turn; what was handed over is overwritten before the next comes. */
function feed(lines: Lines, bytes: Buffer, sizes: readonly number[]): void {
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const piece = Buffer.from(bytes.subarray(at, at + (sizes[n % sizes.length] ?? 1)));
    at += piece.length;
    lines.write(piece);
    piece.fill('7');
  }
}

describe('lines of a stream', () => {
  it('are read as each would be alone, wherever the bytes are cut', () => {
    const line = fc.tuple(fc.constantFrom(...TEXTS), fc.constantFrom('\n', '\r\n'));
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(line), sizes, (texts, cuts) => {
        const alone = new TraceParser();
        const expected = texts.map(([text]) => alone.parse(text));
        const parser = new TraceParser();
        const events: unknown[] = [];
        const lines = new Lines((bytes, from, to) => void events.push(parser.read(bytes, from, to)));
        feed(lines, Buffer.from(texts.map((parts) => parts.join('')).join('')), cuts);
        expect(events).to.deep.equal(expected);
        expect(lines).to.include({ count: texts.length, rest: 0 });
      }),
      { numRuns: 300 },
    );
  });
});
