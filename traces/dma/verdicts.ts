/** Findings that wait for the end of the trace, because a mark of lost events that comes later may excuse them. */
import type { AssumptionName } from '../checks.ts';
import type { LostEvent, TraceEvent } from '../event.ts';
import type { Confidence, TraceFinding } from '../finding.ts';
import type { Findings } from '../findings.ts';

/** How sure a finding is as long as nothing is missing. */
export interface Grade {
  readonly confidence: Confidence;
  readonly assumptions: readonly AssumptionName[];
  /** Events that are missing from this moment on could excuse it; infinity where none could. */
  readonly since: number;
  /** It is less sure if, up to the end of the trace, anything turns up that was mapped before it began. */
  readonly before?: { readonly strangers: number };
}

/** The same whatever is missing. */
export const CERTAIN: Grade = { confidence: 'certain', assumptions: [], since: Number.POSITIVE_INFINITY };

/** How many wait at once; more are told as they stand. */
const WAITING_MAX = 4096;
/** Nanoseconds that the clocks of two CPUs may differ by. */
const SKEW = 10_000;

interface Waiting {
  readonly finding: Omit<TraceFinding, 'more' | 'confidence' | 'assumptions'>;
  readonly at: number;
  grade: Grade;
}

export class Verdicts {
  readonly #findings: Findings;
  #waiting: Waiting[] = [];
  /** By CPU, when its last event was. */
  readonly #lastOf: number[] = [];
  #lastLoss = Number.NEGATIVE_INFINITY;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Called for each event before it is judged. */
  seen(event: TraceEvent, time: number): void {
    this.#lastOf[event.cpu] = time;
  }

  /** Events of one CPU are missing since its last one; called before this one is seen. */
  lost({ cpu, time }: LostEvent): void {
    const from = this.#lastOf[cpu] ?? Number.NEGATIVE_INFINITY;
    for (const waiting of this.#waiting)
      if (waiting.at >= from && waiting.grade.since <= time) waiting.grade = LOSSY;
    this.#lastLoss = time;
  }

  /** The last two events of the evidence are those that must not be the other way round. */
  add(grade: Grade, finding: Waiting['finding']): void {
    const at = finding.evidence.at(-1)?.event.time ?? 0;
    const waiting = { finding, at, grade: this.#lastLoss >= grade.since ? LOSSY : grade };
    if (grade.since !== Number.POSITIVE_INFINITY && isClose(finding.evidence)) waiting.grade = CLOSE;
    this.#waiting.push(waiting);
    if (this.#waiting.length > WAITING_MAX) this.end();
  }

  tolerate(name: string, text: string, line: number): void {
    this.#findings.tolerate(name, text, line);
  }

  end(): void {
    for (const { finding, grade } of this.#waiting) {
      const { assumptions, before } = grade;
      const confidence = (before?.strangers ?? 0) > 0 ? 'possible' : grade.confidence;
      this.#findings.add({ ...finding, confidence, assumptions });
    }
    this.#waiting = [];
  }
}

const LOSSY: Grade = {
  confidence: 'possible',
  assumptions: ['nothing-lost'],
  since: Number.POSITIVE_INFINITY,
};
const CLOSE: Grade = { confidence: 'possible', assumptions: ['order-kept'], since: Number.POSITIVE_INFINITY };

function isClose(evidence: TraceFinding['evidence']): boolean {
  const [a, b] = evidence.slice(-2).map(({ event }) => event);
  return a !== undefined && b !== undefined && a.cpu !== b.cpu && Math.abs(b.time - a.time) < SKEW;
}
