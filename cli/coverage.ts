/** Coverage by folder, out of the summary that c8 writes. c8 itself knows global thresholds and those of each file. */
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './exit.ts';
import { readTextFile } from './read-file.ts';

/** The least percentage of lines and of functions, by folder. */
export const COVERED_LEAST: Readonly<Record<string, number>> = {
  model: 100,
  impl: 100,
  properties: 95,
  targets: 90,
  traces: 95,
  web: 85,
  counterexamples: 90,
  cli: 80,
};
const METRICS = ['lines', 'functions'] as const;
const BYTES_MAX = 2 ** 26;

type Metric = (typeof METRICS)[number];
interface Figure {
  readonly covered: number;
  readonly total: number;
}
/** By path, then by metric, as c8 writes it. */
export type CoverageSummary = Readonly<Record<string, Readonly<Record<Metric, Figure>>>>;

/** What was covered of the files of one folder. */
export interface FolderCoverage {
  readonly folder: string;
  readonly least: number;
  /** Percentages, cut to one digit and not rounded: 99.99 is not 100. Undefined: the folder has no file. */
  readonly lines: number | undefined;
  readonly functions: number | undefined;
  /** Files with something that is not covered, with what it is. */
  readonly open: readonly string[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @throws {UsageError} when the file is not a summary of c8 */
export function readCoverage(file: string): FolderCoverage[] {
  const text = readTextFile(file, BYTES_MAX);
  try {
    return coverageOf(JSON.parse(text) as CoverageSummary, ROOT, hasCode);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new UsageError(`${file}: it is not a summary of coverage as c8 writes it`);
  }
}

/** A module of types only compiles to an empty one. It can never be covered, so it does not count. */
function hasCode(file: string): boolean {
  const code = readFileSync(join(ROOT, 'dist', file.replace(/\.tsx?$/, '.js')), 'utf8');
  const bare = code.replace(/^export \{\};$|^\/\/#.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
  return bare.trim() !== '';
}

/** @param root - of the paths in the summary */
export function coverageOf(
  summary: CoverageSummary,
  root: string,
  counts: (file: string) => boolean,
): FolderCoverage[] {
  const files = Object.entries(summary)
    .filter(([path]) => path !== 'total')
    .map(([path, figures]) => ({ file: relative(root, path).split(sep).join('/'), figures }));
  return Object.entries(COVERED_LEAST).map(([folder, least]) => {
    const own = files.filter(({ file }) => file.startsWith(`${folder}/`) && counts(file));
    const share = (metric: Metric): number | undefined =>
      own.length === 0 ? undefined : percentOf(own.map(({ figures }) => figures[metric]));
    const open = METRICS.flatMap((metric) =>
      own
        .filter(({ figures }) => figures[metric].covered < figures[metric].total)
        .map(({ file, figures }) => `${file}: ${metric} ${figures[metric].covered}/${figures[metric].total}`),
    );
    return { folder, least, lines: share('lines'), functions: share('functions'), open };
  });
}

function percentOf(figures: readonly Figure[]): number {
  const sum = (key: keyof Figure): number => figures.reduce((total, figure) => total + figure[key], 0);
  return sum('total') === 0 ? 100 : Math.floor((sum('covered') / sum('total')) * 1000) / 10;
}
