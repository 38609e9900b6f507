/** What the checker must make of each corruption, and on which traces: the mutation test of the checker. */
import { SeededChoices } from '../../properties/choices.ts';
import type { TraceEvent } from '../../traces/event.ts';
import {
  type CheckName,
  CONFIDENCES,
  type Confidence,
  TraceChecker,
  type TraceFinding,
  type TraceReport,
} from '../../traces/index.ts';
import * as corrupt from './corrupt.ts';
import { pagesIn, type Reading, readingOf, toldByDrivers } from './reading.ts';
import { BUSY, type SyntheticOptions, syntheticTrace } from './synthetic.ts';

/** Synthetic systems by what their traces show. */
export const SYSTEMS = {
  /** Four devices, all events. */
  busy: {},
  lazy: { mode: 'lazy' },
  /** One device, all events: whose mapping it is is never in doubt. */
  alone: { drivers: ['network'] },
  /** One device of which only the tables and the page allocator are heard. */
  unnamed: { drivers: ['disk'], dma: false, flushes: false },
  /** Two devices with the same addresses, and nothing that names them. */
  mixed: { drivers: ['network', 'disk'], dma: false, flushes: false, buffers: false },
  'mixed lazy': { drivers: ['network', 'disk'], dma: false, flushes: false, buffers: false, mode: 'lazy' },
} as const satisfies Readonly<Record<string, Partial<SyntheticOptions>>>;

export type SystemName = keyof typeof SYSTEMS;
const ALL: readonly SystemName[] = ['busy', 'lazy', 'alone', 'unnamed', 'mixed', 'mixed lazy'];

export interface Expectation {
  readonly name: string;
  readonly corruption: corrupt.Corruption;
  readonly systems: readonly SystemName[];
  /** Findings of which one must be there, at least so sure; none where no reader of the trace could know. */
  readonly checks: readonly CheckName[];
  readonly least?: Confidence;
  /** Those where only drivers and the page allocator are heard, if they are not the same. */
  readonly ofDrivers?: readonly CheckName[];
  /** How sure anything may be that is found beside it. */
  readonly most?: Confidence;
}

const KMEM: readonly SystemName[] = ALL;
const NAMED: readonly SystemName[] = ['busy', 'lazy', 'alone'];

/** What a driver or a kernel does wrong. */
const MISTAKES: readonly Expectation[] = [
  {
    name: 'an unmap 1 ms after the free of its page',
    corruption: corrupt.delayUnmap(1000),
    ...{ systems: KMEM, checks: ['freed-while-mapped'], least: 'certain' },
  },
  {
    name: 'an unmap 1 us after the free of its page',
    corruption: corrupt.delayUnmap(1),
    ...{ systems: KMEM, checks: ['freed-while-mapped'], least: 'possible' },
  },
  {
    name: 'an unmap that is forgotten, its page freed',
    corruption: corrupt.dropUnmap,
    ...{ systems: ['alone', 'unnamed', 'busy'], checks: ['freed-while-mapped', 'overlap'], least: 'likely' },
  },
  {
    name: 'a second map of the same addresses for the same device',
    corruption: corrupt.mapTwice(true),
    ...{ systems: NAMED, checks: ['overlap', 'dma-overlap'], least: 'likely' },
    // Without the tables' own events the next unmap may be that of the mapping before, written late.
    ofDrivers: [],
  },
  {
    name: 'a second unmap, which finds nothing',
    corruption: corrupt.unmapTwice,
    ...{ systems: KMEM, checks: ['unmap-unknown'], least: 'certain' },
    ofDrivers: [],
  },
  {
    name: 'an unmap of which a page was not mapped',
    corruption: corrupt.unmappedSize((size) => size - 4096),
    ...{ systems: KMEM, checks: ['unmap-short', 'unmap-unknown'], least: 'certain' },
    ofDrivers: [],
  },
  {
    name: 'an unmap that takes a page too many',
    corruption: corrupt.unmappedSize((size) => size + 4096),
    ...{ systems: KMEM, checks: ['unmap-more'], least: 'possible' },
    ofDrivers: [],
  },
  {
    name: 'two mappings that lead to the memory of each other',
    corruption: corrupt.swapPhysical,
    ...{ systems: NAMED, checks: ['dma-not-backed'], least: 'likely' },
    ofDrivers: [],
  },
  {
    name: 'dma_unmap_page in another direction',
    corruption: corrupt.unmapDirection,
    ...{ systems: NAMED, checks: ['dma-unmap-direction'], least: 'certain' },
  },
  {
    name: 'dma_unmap_page of another size',
    corruption: corrupt.unmapSize,
    ...{ systems: NAMED, checks: ['dma-unmap-size'], least: 'certain' },
  },
];

/** What happens to a trace on its way: nothing is wrong in the system. */
const DAMAGE: readonly Expectation[] = [
  { name: 'nothing at all', corruption: corrupt.nothing, systems: ALL, checks: [] },
  /** No domain is named: in another one the addresses are free. */
  {
    name: 'a second map of the same addresses',
    corruption: corrupt.mapTwice(false),
    systems: ALL,
    checks: [],
  },
  { name: 'the start is missing', corruption: corrupt.truncateStart, systems: ALL, checks: [] },
  { name: 'the end is missing', corruption: corrupt.truncateEnd, systems: ALL, checks: [] },
  { name: 'lines two or three times', corruption: corrupt.duplicateLines, systems: ALL, checks: [] },
  { name: 'lines up to 5 too late', corruption: corrupt.reorderLines(5), systems: ALL, checks: [] },
  { name: 'lines up to 100 too late', corruption: corrupt.reorderLines(100), systems: ALL, checks: [] },
  { name: 'random bytes', corruption: corrupt.garbage, systems: ALL, checks: [], most: 'likely' },
  {
    name: 'events lost, as a line says',
    corruption: corrupt.loseEvents(200, true),
    systems: ALL,
    checks: [],
  },
  {
    name: 'events lost, and nothing says so',
    corruption: corrupt.loseEvents(200, false),
    ...{ systems: ALL, checks: [], most: 'certain' },
  },
  { name: 'a page freed twice', corruption: corrupt.freeTwice, systems: ALL, checks: [] },
];

export const EXPECTATIONS: readonly Expectation[] = [...MISTAKES, ...DAMAGE];

const LINES = 1000;

export function systemTrace(system: SystemName, seed: number): Reading {
  const options: SyntheticOptions = { ...BUSY, lines: LINES, cpus: 2, ...SYSTEMS[system], seed };
  return readingOf([...syntheticTrace(options)].flat());
}

export function checked(lines: readonly string[]): TraceReport {
  const checker = new TraceChecker({ file: '-' });
  for (const line of lines) checker.line(line);
  return checker.end();
}

/** The trace of a machine without an IOMMU, or of one whose events are off. */
export const withoutTables = (lines: readonly string[]): readonly string[] =>
  lines.filter(
    (line) => !/: (IOMMU: |(qi_submit|cache_tag_\w+|attach_device_to_domain|dmar\d+): )/.test(line),
  );

/** The same, to be found there. */
export function ofDrivers(expectation: Expectation): Expectation {
  const { checks, corruption, ofDrivers: own = checks } = expectation;
  const hidden: corrupt.Corruption = (trace, choices) => {
    const made = corruption({ ...trace, lives: toldByDrivers(trace) }, choices);
    return made === undefined ? undefined : { ...made, lines: withoutTables(made.lines) };
  };
  return { ...expectation, corruption: hidden, checks: own, systems: NAMED };
}

export interface Outcome {
  /** Undefined: the trace has no place for the corruption. */
  readonly expected: TraceFinding | undefined;
  /** Surer than they may be, and about something else. */
  readonly wrong: readonly TraceFinding[];
  readonly report: TraceReport;
}

/** @param before - what is found in the trace as it was */
export function judged(
  trace: Reading,
  { corruption, checks, least = 'certain', most }: Expectation,
  seed: number,
  before: readonly TraceFinding[] = [],
): Outcome | undefined {
  const made = corruption(trace, new SeededChoices(seed, 0));
  if (made === undefined) return undefined;
  const report = checked(made.lines);
  const expected = report.findings.find(
    (finding) =>
      checks.includes(finding.check) && surer(finding.confidence, least) && concerns(finding, made),
  );
  const known = new Set(before.map(({ check, text }) => `${check} ${text}`));
  const wrong = report.findings.filter(
    (finding) =>
      !known.has(`${finding.check} ${finding.text}`) &&
      (concerns(finding, made)
        ? most !== undefined && !surer(most, finding.confidence)
        : !surer(most ?? 'possible', finding.confidence)),
  );
  return { expected, wrong, report };
}

/** At least as sure as. */
const surer = (one: Confidence, other: Confidence): boolean =>
  CONFIDENCES.indexOf(one) <= CONFIDENCES.indexOf(other);

function concerns({ subject, evidence }: TraceFinding, { iovas, pfns }: corrupt.Corrupted): boolean {
  const { iova, size = 1, pfn } = subject;
  if (iova !== undefined && pagesIn(iova, size).some((page) => iovas.has(page))) return true;
  if (pfn !== undefined && pfns.has(pfn)) return true;
  return evidence.some(({ event }) => touches(event, iovas, pfns));
}

function touches(event: TraceEvent, iovas: ReadonlySet<number>, pfns: ReadonlySet<number>): boolean {
  if (event.kind === 'map' || event.kind === 'unmap')
    return pagesIn(event.iova, event.size).some((page) => iovas.has(page));
  if (event.kind === 'page-alloc' || event.kind === 'page-free')
    return pagesIn(event.pfn * 4096, 4096 << event.order).some((pfn) => pfns.has(pfn));
  return false;
}
