/** Everything that is told of one trace: plain data, the same for the terminal, files and the page. */
import type { Confidence, TraceFinding } from './finding.ts';

/** When unmapped addresses are forgotten by the IOTLB: before the unmap returns, or some time later. */
export type Mode = 'strict' | 'lazy';

export interface Source {
  /** As named on the command line, `-` for standard input. */
  readonly file: string;
  readonly format: 'ftrace' | 'trace-cmd' | 'perf' | 'unknown';
  readonly lines: number;
  readonly events: number;
  /** Nanoseconds of the trace's clock; absent without an event. */
  readonly first?: number;
  readonly last?: number;
  readonly cpus: number;
  /** True where the clock of the trace counts no seconds: then all times are its ticks, not nanoseconds. */
  readonly ticks: boolean;
  /** Why the end of the trace was not reached, such as `its gzip data ends early`; absent when it was. */
  readonly early?: string;
}

/** What a trace can show and what not: the head of every report. */
export interface Sight {
  /** Events by name as the kernel calls them (`iommu:map`), with how often they were seen, most frequent first. */
  readonly seen: readonly (readonly [name: string, count: number])[];
  /** Names that are not known here, with counts. */
  readonly unknown: readonly (readonly [name: string, count: number])[];
  /** Sentences: what cannot be told from this trace, and why. */
  readonly blind: readonly string[];
  /** Events that would show it, as `trace-cmd record -e` takes them: `dma` are all of a group. */
  readonly enable: readonly string[];
  /** Sentences: from when on mappings are seen, and what was there before. */
  readonly start: readonly string[];
  readonly lost: Lost;
  readonly mode: Mode | 'unknown';
  /** Why it is believed: `--lazy`, or what was counted. */
  readonly modeReason: string;
  /** One sentence: what it is worth that nothing was found. */
  readonly verdict: string;
}

/** Events that the tool itself says are missing. */
export interface Lost {
  /** As far as it says how many. */
  readonly events: number;
  /** Places where some are missing; of `uncounted` the tool does not say how many. */
  readonly places: number;
  readonly uncounted: number;
  /** Between which times, the first places only; what is missing before the first event has no `from`. */
  readonly gaps: readonly Gap[];
}

export interface Gap {
  /** Absent: of any CPU. */
  readonly cpu?: number;
  readonly from?: number;
  readonly to: number;
  readonly count?: number;
}

/** Something out of the ordinary that was put up with, and how often. */
export interface Tolerance {
  readonly name: string;
  readonly text: string;
  readonly count: number;
  readonly firstLine: number;
}

export interface Coverage {
  /** Mappings whose birth was seen. */
  readonly born: number;
  /** Of these, how many are ranges that drivers mapped, which no event of an IOMMU shows. */
  readonly byDrivers: number;
  /** Of all, how many died in the trace. */
  readonly died: number;
  /** At the end, or where the clock went back and another recording follows. */
  readonly alive: number;
  /** Unmaps of what the trace did not show being mapped. */
  readonly unknownDeaths: number;
  /** Mappings that a device was named for. */
  readonly named: number;
  /** Lives of pages: those whose allocation and free were both seen, and those with one of them. */
  readonly pagesWhole: number;
  readonly pagesPart: number;
}

/**
 * Counts by power of two: `counts[n]` are those of at least 2^n and less than 2^(n+1) units; what is less than one
 * unit counts with those of one. `least` and `most` are exact, `median` is at most 1/32 too small; 0 if there are none.
 */
export interface Histogram {
  readonly unit: 'bytes' | 'ns';
  readonly counts: readonly number[];
  readonly total: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** A figure over time: `values[i]` is the most that it was from `times[i]` until the next; the last until the end. */
export interface Series {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** I/O addresses used by one device or domain; without a name: by all mappings that nothing named. */
export interface SpaceUse {
  readonly space?: string;
  readonly mappings: number;
  readonly alive: number;
  readonly lowest: number;
  /** The last byte. */
  readonly highest: number;
  /** Most that was mapped at once, from when the mappings were named on. Of those without a name: an upper bound. */
  readonly bytesMost: number;
}

export interface Distributions {
  readonly sizes: Histogram;
  readonly lifetimes: Histogram;
  readonly live: Series;
  readonly liveBytes: Series;
  /** The most used first. */
  readonly spaces: readonly SpaceUse[];
}

/** A mapping on the timeline. Times in nanoseconds of the trace's clock. */
export interface Bar {
  readonly iova: number;
  /** Absent where the driver's call does not tell it. */
  readonly paddr?: number;
  readonly size: number;
  /** Device or domain, where one was named. */
  readonly space?: string;
  readonly from: number;
  /** Absent: it was alive at the end. */
  readonly to?: number;
  readonly line: number;
  readonly endLine?: number;
  readonly task: string;
  readonly pid: number;
  /** Findings that have it as evidence, as indices into `findings`. */
  readonly findings?: readonly number[];
}

/** A life of pages between allocation and free; an end that was not seen is absent. */
export interface PageBar {
  readonly pfn: number;
  readonly count: number;
  readonly from?: number;
  readonly to?: number;
  readonly line?: number;
  readonly endLine?: number;
  readonly findings?: readonly number[];
  /** Shown for its findings only: of its pages other lives may be missing here. */
  readonly alone?: true;
}

export interface Timeline {
  readonly bars: readonly Bar[];
  /** Of pages that were mapped, from the life on in which they were; of a long trace the latest of some pages. */
  readonly pages: readonly PageBar[];
  /** How many there were; more than are shown where the trace is long. Those of findings are always shown. */
  readonly barsSeen: number;
  readonly pagesSeen: number;
}

export interface TraceReport {
  readonly source: Source;
  readonly sight: Sight;
  readonly coverage: Coverage;
  /** Violations before risks, the surest of them first, then by line. */
  readonly findings: readonly TraceFinding[];
  /** How many by confidence, with those that are only counted. */
  readonly totals: Readonly<Record<Confidence, number>>;
  /** How many of these are risks, not violations. */
  readonly risks: number;
  readonly tolerances: readonly Tolerance[];
  readonly distributions: Distributions;
  readonly timeline: Timeline;
}
