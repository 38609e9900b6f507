import { expect } from 'chai';
import * as fc from 'fast-check';
import { TraceParser } from './parse.ts';
import { SAMPLES } from './samples.test.ts';

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);

/** Every line is counted once, and what is not counted as known is not given out as an event. */
function parseAll(lines: readonly string[]): TraceParser['heard'] {
  const parser = new TraceParser();
  let events = 0;
  let lost = 0;
  for (const line of lines) {
    const event = parser.parse(line);
    if (event?.kind === 'lost') lost += 1;
    else if (event !== undefined) events += 1;
  }
  const { heard } = parser;
  const others =
    sum(heard.unknown.values()) + heard.headers + heard.notices + heard.garbage + heard.malformed;
  expect(events).to.equal(sum(heard.seen.values()));
  expect(events + others).to.equal(lines.length);
  expect(lost).to.be.at.most(heard.notices + heard.garbage + heard.malformed);
  expect(lost).to.be.at.least(heard.notices + heard.malformed);
  return heard;
}

const sample = fc.constantFrom(...SAMPLES);
const character = fc.oneof(
  fc.constantFrom(...'[](){}-:=,. 0x9afE/<>#\t\x1b\u0000\uffff'),
  fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
);

/** A line with a few characters replaced, put in or taken out. */
const mutated = fc
  .tuple(
    sample,
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), character, fc.nat(2)), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([line, changes]) =>
    changes.reduce((text, [where, put, how]) => {
      const at = Math.floor(where * text.length);
      return text.slice(0, at) + (how === 0 ? '' : put) + text.slice(how === 1 ? at : at + 1);
    }, line),
  );

const cut = fc
  .tuple(sample, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([line, part]) => line.slice(0, line.length * part));
const glued = fc.tuple(cut, sample).map(([left, right]) => left + right);
const spliced = fc.tuple(sample, cut).map(([left, right]) => left + right.slice(right.length / 2));

describe('a damaged trace', () => {
  it('has samples of all forms', () => {
    expect(SAMPLES.length).to.be.above(70);
    expect(parseAll(SAMPLES)).to.include({ garbage: 0, malformed: 0 });
  });

  for (const [what, line] of [
    ['any text', fc.string({ unit: 'binary', maxLength: 300 })],
    ['lines with a few wrong characters', mutated],
    ['lines that end early', cut],
    ['lines that run into one another', fc.oneof(glued, spliced)],
  ] as const)
    it(`is read without an exception, each line counted once: ${what}`, () => {
      fc.assert(
        fc.property(fc.array(fc.oneof(line, sample), { maxLength: 40 }), (lines) => {
          parseAll(lines);
        }),
        { numRuns: 150 },
      );
    });

  it('is never believed where one digit of a range in a page table is wrong', () => {
    const range = SAMPLES.filter((line) => /\bmap: IOMMU/.test(line));
    const digit = fc.tuple(fc.constantFrom(...range), fc.nat(1000), fc.constantFrom(...'0123456789abcdef'));
    fc.assert(
      fc.property(digit, ([line, where, put]) => {
        const from = line.indexOf('iova=0x') + 7;
        const end = line.indexOf(' paddr=');
        const places = [...line].flatMap((code, at) =>
          at >= from && at < end && /[0-9a-f]/.test(code) ? [at] : [],
        );
        const at = places[where % places.length] ?? from;
        fc.pre(line[at] !== put);
        const event = new TraceParser().parse(line.slice(0, at) + put + line.slice(at + 1));
        expect(event).to.include({ kind: 'lost', cause: 'unreadable' });
      }),
      { numRuns: 300 },
    );
  });

  it('holds lines of 64 KiB that cost no more than as many short ones', function () {
    this.timeout(2000);
    const event = 'a-1 [0] 1.1: ';
    const starts = [
      '',
      'a-1 [0] ',
      `${event}map: `,
      `${event}x: (dma_buf_detach`,
      `${event}io_page_fault: IOMMU:`,
    ];
    const fillings = [
      '[0',
      '> ',
      '<1>',
      '[   1.0] ',
      '\x1b[1m',
      '(',
      ')',
      ' ',
      'a',
      ' <- ',
      ':',
      '0',
      ' => ',
      'iova= ',
    ];
    for (const start of [
      ...starts,
      '\tffffff iommu_map (',
      `${event}dma_unmap_sg: d dir=NONE phys_addrs={`,
    ]) {
      for (const filling of fillings) {
        const text = start + filling.repeat(Math.floor((65_500 - start.length) / filling.length));
        expect(parseAll([SAMPLES.at(-1) ?? '', text]).lines).to.equal(2);
      }
    }
  });
});
