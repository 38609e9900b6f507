import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Player } from './player.ts';
import { type Compiled, compile, run, writeTrace } from './program.ts';
import {
  decode,
  drawChurn,
  drawRuns,
  drawSlots,
  encode,
  IOVA,
  KIND_BITS,
  MAP,
  type NativeMachine,
  nativeMachine,
  PAGES,
  TABLES,
  type Trace,
  UNMAP,
  WALK,
} from './trace.ts';

const load = (seed: number, fields: Partial<NativeMachine>, slots: number, largest: number) => ({
  ...{ seed, slots, largest },
  machine: nativeMachine(fields),
  count: 2000,
});

/** A block is mapped, and only one of the two tables can be had that it takes to unmap a page of it. */
const UNSPLIT: Trace = {
  layer: TABLES,
  slots: 1,
  warm: 0,
  machine: nativeMachine({ ioPages: 256, reserve: 61 }),
  operations: Int32Array.of(MAP | (3 << KIND_BITS), 16, 32, 16, UNMAP, 16, 1, 0, WALK, 17, 0, 0),
};

/** Machines on which everything also fails now and then. */
const SHORT: readonly (readonly [name: string, draw: (seed: number) => Trace])[] = [
  ['pages', (seed) => drawSlots(PAGES, load(seed, {}, 60, 4))],
  [
    'pages, a reserve and nothing parked',
    (seed) => drawSlots(PAGES, load(seed, { reserve: 5, parked: 0 }, 40, 2)),
  ],
  [
    'pages, a number that is no power of two',
    (seed) => drawSlots(PAGES, load(seed, { pages: 1027 }, 700, 3)),
  ],
  ['tables, one page at a time', (seed) => drawChurn(load(seed, { ioPages: 1024 }, 300, 1), false)],
  ['tables, looked up', (seed) => drawChurn(load(seed, { ioPages: 1024 }, 300, 1), true)],
  ['tables, runs and blocks', (seed) => drawRuns(load(seed, { ioPages: 1024 }, 1, 64))],
  ['tables, a page short', (seed) => drawRuns(load(seed, { ioPages: 256, pages: 20 }, 1, 16))],
  ['tables, one level', (seed) => drawRuns(load(seed, { ioPages: 4 }, 1, 2))],
  ['tables, a block that cannot be split', () => UNSPLIT],
  ['ranges', (seed) => drawSlots(IOVA, load(seed, { ioPages: 256 }, 60, 8))],
  ['ranges of several words', (seed) => drawSlots(IOVA, load(seed, { ioPages: 512 }, 20, 100))],
];

/** The errors among the answers to a trace. */
function errorsOf(trace: Trace): ReadonlySet<number> {
  const errors = new Set<number>();
  const player = new Player(trace);
  const { pages, iommu } = player.kernel;
  const note = (answer: number): number => {
    if (answer < 0) errors.add(answer);
    return answer;
  };
  const [allocateBlock, mapRange, allocate] = [pages.allocateBlock, iommu.mapRange, iommu.iova.allocate];
  pages.allocateBlock = (order) => note(allocateBlock.call(pages, order));
  iommu.mapRange = (...args) => note(mapRange.call(iommu, ...args));
  iommu.iova.allocate = (...args) => note(allocate.call(iommu.iova, ...args));
  player.play(1);
  return errors;
}

describe('bench/native: our algorithms in C', () => {
  let folder: string;
  let compiled: Compiled;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-native-'));
    compiled = compile(folder);
  });

  after(() => rmSync(folder, { recursive: true }));

  /** What C answers; without a compiler, what is said instead is looked at, and there is no answer. */
  function inC(trace: Trace): number | undefined {
    if ('program' in compiled)
      return run(compiled.program, [writeTrace(folder, 'short', trace), '2']).checksum;
    expect(compiled.skipped).to.match(/^no C compiler here/);
    return undefined;
  }

  for (const [name, draw] of SHORT) {
    it(`answers as impl/ does: ${name}`, () => {
      for (const seed of [1, 2, 3]) {
        const checksum = inC(draw(seed));
        if (checksum !== undefined) expect(new Player(draw(seed)).play(2).checksum).to.equal(checksum);
      }
    });
  }

  it('asks for what fails, too', () => {
    const errors: Set<number>[] = [new Set(), new Set(), new Set()];
    for (const [, draw] of SHORT) {
      const trace = draw(1);
      for (const error of errorsOf(trace)) errors[trace.layer]?.add(error);
    }
    const [pages, tables, ranges] = errors;
    expect([...(pages ?? [])], 'ENOMEM, EINVAL').to.have.members([-12, -22]);
    expect([...(tables ?? [])], 'ENOMEM, EEXIST').to.have.members([-12, -17]);
    expect([...(ranges ?? [])], 'ENOSPC').to.have.members([-28]);
  });

  it('sees another placement in the checksum', () => {
    const [, draw] = SHORT[0] as (typeof SHORT)[number];
    const trace = draw(1);
    const other = { ...trace, machine: { ...trace.machine, parked: 3 } };
    const [one, two] = [inC(trace), inC(other)];
    if (one !== undefined) expect(one).not.to.equal(two);
    expect(new Player(trace).play(1).checksum).not.to.equal(new Player(other).play(1).checksum);
  });

  it('reads a trace as it was written', () => {
    for (const [, draw] of SHORT) expect(decode(encode(draw(5)))).to.deep.equal(draw(5));
  });

  it('says so where there is no compiler', () => {
    expect(compile(folder, ['no-such-compiler', 'nor-this-one'])).to.deep.equal({
      skipped: 'no C compiler here (looked for no-such-compiler, nor-this-one): nothing to compare with',
    });
  });
});
