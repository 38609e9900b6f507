import { expect } from 'chai';
import * as fc from 'fast-check';
import type { TraceEvent } from './event.ts';
import { type Disorder, RESTART, Reorder, WINDOW } from './order.ts';

const free = (line: number, time: number, cpu = 0, pfn = line): TraceEvent => ({
  ...{ kind: 'page-free', line, time, cpu, task: 'sh', pid: 1 },
  ...{ pfn, order: 0, batched: false },
});

function order(events: readonly TraceEvent[]) {
  const out: TraceEvent[] = [];
  const notes: (readonly [Disorder, number])[] = [];
  const reorder = new Reorder(
    (event) => out.push(event),
    (what, line) => notes.push([what, line]),
  );
  for (const event of events) reorder.push(event);
  reorder.end();
  return { out, notes };
}

const linesOf = (events: readonly TraceEvent[]): readonly number[] => events.map(({ line }) => line);
const inOrder = (count: number, from = 0): readonly TraceEvent[] =>
  Array.from({ length: count }, (_, index) => free(from + index + 1, (index + 1) * 10));

describe('events in the order of time', () => {
  it('stay as they are where they are in order', () => {
    const events = inOrder(3 * WINDOW);
    expect(order(events)).to.deep.equal({ out: events, notes: [] });
  });

  it('keep the order of lines at equal times', () => {
    const events = [3, 1, 2].map((pfn, index) => free(index + 1, 50, 0, pfn));
    expect(order(events)).to.deep.equal({ out: events, notes: [] });
  });

  it('overtake one another by up to a window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WINDOW / 2), { maxLength: 4 * WINDOW }), (delays) => {
        // Each event is written so many places late; its line is the place.
        const events = delays
          .map((delay, index) => ({ time: index + 1, place: index + delay }))
          .toSorted((a, b) => a.place - b.place)
          .map(({ time }, index) => free(index + 1, time));
        const { out, notes } = order(events);
        expect(out.map(({ time }) => time)).to.deep.equal(delays.map((_, index) => index + 1));
        const overtaken = events.filter(({ time }, index) => time < (events[index - 1]?.time ?? 0));
        expect(notes).to.deep.equal(overtaken.map(({ line }) => ['moved', line]));
      }),
      { numRuns: 60 },
    );
  });

  it('are put first of all that wait, if they are', () => {
    const events = [...inOrder(2 * WINDOW), free(9999, (WINDOW + 1) * 10 - 5), free(10_000, 1e6)];
    const { out, notes } = order(events);
    expect(out.map(({ time }) => time)).to.deep.equal(out.map(({ time }) => time).toSorted((a, b) => a - b));
    expect(notes).to.deep.equal([['moved', 9999]]);
  });

  it('come as they are where they are too late', () => {
    const events = [...inOrder(2 * WINDOW), free(9999, 15), free(10_000, 1e6)];
    const { out, notes } = order(events);
    expect(notes).to.deep.equal([['late', 9999]]);
    expect(out.length).to.equal(events.length);
    expect(linesOf(out.slice(-2))).to.deep.equal([2 * WINDOW, 10_000]);
  });

  it('are not held up by one whose time is far ahead', () => {
    const events = [
      ...inOrder(10),
      free(77, 1e12),
      ...inOrder(600, 100).map((event) => ({ ...event, time: event.time + 100 })),
    ];
    const { out, notes } = order(events);
    expect(notes).to.deep.equal([['moved', 101]]);
    expect(out.at(-1)?.line).to.equal(77);
    expect(out.length).to.equal(events.length);
  });

  it('begin again where the clock goes back for good', () => {
    const events = [...inOrder(2 * WINDOW), ...inOrder(2 * WINDOW, 5000)];
    const { out, notes } = order(events);
    expect(notes).to.deep.equal([['restart', 5001]]);
    expect(out[2 * WINDOW]).to.include({ kind: 'lost', cause: 'restart', line: 5001, time: 10 });
    expect(linesOf(out.filter(({ kind }) => kind !== 'lost'))).to.deep.equal(linesOf(events));
  });

  it('do not begin again for a few that are late', () => {
    const late = inOrder(RESTART - 1, 5000);
    const { out, notes } = order([...inOrder(2 * WINDOW), ...late, free(9999, 1e6)]);
    expect(notes).to.deep.equal(late.map(({ line }) => ['late', line]));
    expect(out.some(({ kind }) => kind === 'lost')).to.equal(false);
  });

  it('are left out where they stand there twice', () => {
    const event = free(1, 10, 0, 7);
    const other = free(2, 10, 1, 9);
    const { out, notes } = order([event, other, { ...event, line: 3 }]);
    expect(out).to.deep.equal([event, other]);
    expect(notes).to.deep.equal([['duplicate', 3]]);
  });

  it('are not copies where their time, their CPU, or what was between them differs', () => {
    const event = free(1, 10, 0, 7);
    for (const second of [free(2, 11, 0, 7), free(2, 10, 1, 7), free(2, 10, 0, 8)])
      expect(order([event, second])).to.deep.equal({ out: [event, second], notes: [] });
    const between = [event, free(2, 10, 0, 8), { ...event, line: 3 }];
    expect(order(between)).to.deep.equal({ out: between, notes: [] });
  });

  it('may be repeated where that can happen in a microsecond', () => {
    const flush: TraceEvent = {
      kind: 'flush',
      line: 1,
      time: 10,
      cpu: 0,
      task: 'sh',
      pid: 1,
      unit: 'dmar0',
      step: 'submitted',
    };
    expect(order([flush, { ...flush, line: 2 }]).notes).to.deep.equal([]);
  });
});
