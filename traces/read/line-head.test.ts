import { expect } from 'chai';
import { Line } from './line.ts';
import { LineHead } from './line-head.ts';
import { Names } from './names.ts';

const LINES = [
  '     net rx (tx)-202     [002] d.h1.    14.151861: unmap: of an IOMMU',
  ' a [7] (b) c-9 (  8) [007]  9.1: map: of another',
  '     init  7/1   [001] 2.799826123: iommu:map: by perf',
  'init-1 [1] ..... 123456789012: map: at a tick',
];
const BYTES = [...' 019[]:.-('];
const names = new Names((text) => text);

/** What a head says of a line; undefined where it finds none. */
function said(head: LineHead, text: string): object | undefined {
  const line = new Line();
  line.setText(text);
  if (!head.read(line)) return undefined;
  const { stamp, ticks, perf, flags, nameFrom, nameTo, gap, text: from } = head;
  return { ...stamp, ticks, perf, flags, nameFrom, nameTo, gap, from };
}

describe('the head of a line', () => {
  it('is found in all lines of this test', () => {
    for (const line of LINES) expect(said(new LineHead(names), line), line).not.to.equal(undefined);
  });

  it('says the same behind one like it, whichever byte is another or missing', () => {
    for (const line of LINES)
      for (let at = 0; at < line.length; at += 1)
        for (const byte of ['', ...BYTES]) {
          const other = line.slice(0, at) + byte + line.slice(at + 1);
          const head = new LineHead(names);
          said(head, line);
          expect(said(head, other), other).to.deep.equal(said(new LineHead(names), other));
        }
  });
});
