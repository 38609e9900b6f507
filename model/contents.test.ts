import { expect } from 'chai';
import {
  cleaned,
  cpuWrote,
  deviceWrote,
  givenToWrite,
  goesWith,
  invalidated,
  isAliased,
  isDirty,
  isReadable,
  isReadableByCpu,
  NOTHING,
  seenByCpu,
  showLine,
  written,
  writtenUncached,
} from './contents.ts';

/** A line of a real machine: what memory holds and, if there is a copy, what that holds. */
interface Real {
  readonly memory: number;
  readonly copy: number | undefined;
  readonly isDirty: boolean;
}

const real = (memory: number, copy?: number, isDirty = false): Real => ({ memory, copy, isDirty });
const shown = ({ memory, copy, isDirty }: Real): number =>
  memory | ((copy ?? 0) << 9) | ((copy === undefined ? 0 : isDirty ? 2 : 1) << 18);

const flushed = (line: Real): number => (line.isDirty ? (line.copy ?? 0) : line.memory);
const evicted = (line: Real): Real => real(flushed(line));
const loaded = (line: Real): Real => (line.copy === undefined ? real(line.memory, line.memory) : line);

/** What happens to a line: to a real one, and to what is promised of it. */
const STEPS: readonly (readonly [string, (line: Real) => Real, (promised: number) => number])[] = [
  ['evict', evicted, (promised) => promised],
  ['load', loaded, (promised) => promised],
  ['clean', (line) => ({ ...line, memory: flushed(line), isDirty: false }), cleaned],
  ['clean for a writer', (line) => ({ ...line, memory: flushed(line), isDirty: false }), givenToWrite],
  ['invalidate for a writer', ({ memory }) => real(memory), givenToWrite],
  ['invalidate', ({ memory }) => real(memory), invalidated],
  ...[1, 2].map(
    (tag) =>
      [`CPU writes ${tag}`, ({ memory }: Real) => real(memory, tag, true), write(cpuWrote, tag)] as const,
  ),
  ...[1, 2].map(
    (tag) =>
      [`device writes ${tag}`, (line: Real) => ({ ...line, memory: tag }), write(deviceWrote, tag)] as const,
  ),
];

function write(wrote: (line: number, tag: number) => number, tag: number): (promised: number) => number {
  return (promised) => wrote(promised, tag);
}

/** Every line that so many steps can make of one, with what is promised of it and the steps. */
function* outcomes(
  line: Real,
  promised: number,
  steps: number,
  path = '',
): Generator<[Real, number, string]> {
  yield [line, promised, path];
  if (steps === 0) return;
  for (const [name, happen, promise] of STEPS) {
    yield* outcomes(happen(line), promise(promised), steps - 1, `${path}, ${name}`);
  }
}

/** Tags that a reader may get. */
const readable = (line: number): number[] => [0, 1, 2].filter((tag) => isReadable(line, tag));
const byCpu = (line: number): number[] => [0, 1, 2].filter((tag) => isReadableByCpu(line, tag));

describe('what is promised of a line', () => {
  const problem = (line: Real, promised: number): string | undefined => {
    if (!goesWith(promised, shown(line))) return 'is not what a target may show';
    if (!isReadable(promised, line.memory)) return 'is not what a device may read';
    return isReadableByCpu(promised, line.copy ?? line.memory) ? undefined : 'is not what a CPU may read';
  };

  for (const [name, lines, promised] of [
    ['zero in memory', [real(0), real(0, 0)], written(0)],
    ['nothing', [real(0), real(3, 0), real(3, 0, true)], NOTHING],
  ] as const) {
    it(`is kept whatever happens, from ${name} on`, () => {
      for (const start of lines) {
        for (const [line, promise, path] of outcomes(start, promised, 5)) {
          const wrong = problem(line, promise);
          if (wrong !== undefined) expect.fail(`${JSON.stringify(line)} ${wrong}: ${path}`);
        }
      }
    });
  }

  it('is one tag for both sides once a side has written and was synced', () => {
    for (const line of [
      written(1),
      cleaned(cpuWrote(written(0), 1)),
      cleaned(cpuWrote(NOTHING, 1)),
      invalidated(deviceWrote(written(0), 1)),
      invalidated(deviceWrote(cleaned(NOTHING), 1)),
      invalidated(deviceWrote(deviceWrote(written(0), 2), 1)),
    ]) {
      expect([readable(line), byCpu(line)]).to.deep.equal([[1], [1]]);
    }
  });

  it('is the writer’s tag for the writer, and the old one or the new for the other side, before a sync', () => {
    const byCpuAlone = cpuWrote(written(0), 1);
    expect([readable(byCpuAlone), byCpu(byCpuAlone)]).to.deep.equal([[0, 1], [1]]);
    const byDevice = deviceWrote(written(0), 1);
    expect([readable(byDevice), byCpu(byDevice)]).to.deep.equal([[1], [0, 1]]);
    const both = deviceWrote(cpuWrote(written(0), 1), 2);
    expect([readable(both), byCpu(both)]).to.deep.equal([
      [1, 2],
      [1, 2],
    ]);
  });

  it('is nothing where it may be lost: dirty lines that are invalidated, or raced with a device', () => {
    for (const line of [
      NOTHING,
      invalidated(cpuWrote(written(0), 1)),
      givenToWrite(cpuWrote(written(0), 1)),
      givenToWrite(NOTHING),
      cleaned(deviceWrote(cpuWrote(written(0), 1), 2)),
      deviceWrote(NOTHING, 1),
      cleaned(NOTHING),
    ]) {
      expect([readable(line), byCpu(line)]).to.deep.equal([
        [0, 1, 2],
        [0, 1, 2],
      ]);
    }
  });

  it('does not change when the same is written again', () => {
    expect(deviceWrote(written(1), 1)).to.equal(written(1));
    for (const sync of [cleaned, invalidated, givenToWrite]) expect(sync(written(1))).to.equal(written(1));
    for (const sync of [cleaned, givenToWrite])
      expect(sync(deviceWrote(written(0), 1))).to.equal(deviceWrote(written(0), 1));
  });
});

describe('what a target shows of a line', () => {
  it('goes with a promise only if it may have come about', () => {
    const lines = [0, 1, 2].flatMap((memory) => [
      real(memory),
      ...[0, 1, 2].flatMap((copy) => [real(memory, copy), real(memory, copy, true)]),
    ]);
    const going = (promised: number): string[] =>
      lines
        .filter((line) => !line.isDirty && goesWith(promised, shown(line)))
        .map(({ memory, copy }) => `${memory}/${copy ?? '-'}`);
    const dirty = (promised: number): number[] => [
      ...new Set(
        lines.filter((line) => line.isDirty && goesWith(promised, shown(line))).map(({ copy = -1 }) => copy),
      ),
    ];
    expect(going(written(1))).to.deep.equal(['1/-', '1/1']);
    expect(going(cpuWrote(written(0), 1))).to.deep.equal(['1/-', '1/1']);
    expect(going(deviceWrote(written(0), 1))).to.deep.equal(['1/-', '1/0', '1/1']);
    expect(going(writtenUncached(1)), 'loaded through the linear map').to.deep.equal([
      '1/-',
      '1/0',
      '1/1',
      '1/2',
    ]);
    expect(going(NOTHING).length).to.equal(12);
    expect(dirty(cpuWrote(written(0), 1))).to.deep.equal([1]);
    expect(dirty(deviceWrote(cpuWrote(written(0), 1), 2))).to.deep.equal([1]);
    for (const line of [written(1), deviceWrote(written(0), 1), writtenUncached(1)]) {
      expect(dirty(line)).to.deep.equal([]);
    }
  });

  it('is dirty, aliased, and seen by CPUs as its copy says', () => {
    expect([real(1), real(1, 2), real(1, 2, true)].map((line) => isDirty(shown(line)))).to.deep.equal([
      false,
      false,
      true,
    ]);
    expect(isDirty(NOTHING)).to.equal(false);
    expect(isAliased(writtenUncached(1), shown(real(1, 2, true)))).to.equal(true);
    expect(isAliased(writtenUncached(1), shown(real(1, 1)))).to.equal(false);
    for (const line of [written(1), NOTHING])
      expect(isAliased(line, shown(real(1, 2, true)))).to.equal(false);
    expect([real(1), real(1, 2), real(1, 2, true)].map((line) => seenByCpu(shown(line)))).to.deep.equal([
      1, 2, 2,
    ]);
  });
});

describe('a line without copies', () => {
  it('holds what was written last, by whomever, and syncs do nothing', () => {
    const line = writtenUncached(0);
    for (const wrote of [cpuWrote, deviceWrote]) expect(wrote(line, 1)).to.equal(writtenUncached(1));
    for (const sync of [cleaned, invalidated, givenToWrite]) expect(sync(line)).to.equal(line);
    expect([readable(line), byCpu(line)]).to.deep.equal([[0], [0]]);
  });
});

describe('showLine', () => {
  it('says what is in memory and what is cached', () => {
    expect(
      [
        NOTHING,
        written(7),
        writtenUncached(7),
        deviceWrote(written(0), 7),
        cpuWrote(NOTHING, 7),
        deviceWrote(cpuWrote(written(0), 7), 8),
      ].map(showLine),
    ).to.deep.equal([
      'anything',
      '7 in memory',
      '7 in memory',
      '7 in memory, 0 cached',
      'anything in memory, 7 cached and dirty',
      '8 in memory, 7 cached and dirty',
    ]);
  });
});
