import { expect } from 'chai';
import { TraceChecker } from './checker.ts';
import type { Tolerance } from './report.ts';

const at = (us: number, text: string): string =>
  `init-1 [000] ..... 1.${String(us).padStart(6, '0')}: ${text}`;
const page = (us: number): string => at(us, `mm_page_free: page=00000000d97c778c pfn=0x${us} order=0`);

/** What is told of a trace beside findings, without its words. */
function toleratedIn(lines: readonly string[]): readonly Omit<Tolerance, 'text'>[] {
  const checker = new TraceChecker({ file: '-' });
  for (const line of lines) checker.line(line);
  const { tolerances, source, totals } = checker.end();
  expect(source.lines).to.equal(lines.length);
  expect(totals).to.deep.equal({ certain: 0, likely: 0, possible: 0 });
  return tolerances.map(({ name, count, firstLine }) => ({ name, count, firstLine }));
}

describe('what a checker of traces puts up with', () => {
  const whole = Array.from({ length: 20 }, (_, index) => page(100 + index));

  it('is nothing where nothing is wrong', () => {
    expect(toleratedIn(['# tracer: nop', '', ...whole, at(500, 'sched_switch: a ==> b')])).to.deep.equal([]);
  });

  for (const [what, line, told] of [
    [
      'a line that stood later',
      page(105).replace('pfn=0x105', 'pfn=0x7'),
      { name: 'moved', count: 1, firstLine: 21 },
    ],
    ['a line that stood there twice', page(119), { name: 'duplicate', count: 1, firstLine: 21 }],
    ['a copy that stood later', page(105), { name: 'duplicate', count: 1, firstLine: 21 }],
    ['a notice of the kernel', 'CPU:0 [LOST 12 EVENTS]', { name: 'lost-events', count: 1, firstLine: 21 }],
    ['a line of bytes', '\u0000\u0007 x', { name: 'unreadable', count: 1, firstLine: 21 }],
    ['half a line', page(120).slice(0, -3), { name: 'unreadable', count: 1, firstLine: 21 }],
  ] as const)
    it(`is ${what}`, () => {
      expect(toleratedIn([...whole, line, page(300)])).to.deep.equal([told]);
    });

  it('is another recording in the same file', () => {
    const long = Array.from({ length: 300 }, (_, index) => page(100_000 + index));
    expect(toleratedIn([...long, ...long])).to.deep.equal([{ name: 'restart', count: 1, firstLine: 301 }]);
  });
});
