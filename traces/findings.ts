/** Collects what the watches find: one of each kind in full, the others counted. */
import { CHECKS } from './checks.ts';
import { CONFIDENCES, type Confidence, type TraceFinding } from './finding.ts';
import type { Tolerance } from './report.ts';

/** How many findings of one check and confidence are told in full. */
const SHOWN_EACH = 20;

type Kept = Omit<TraceFinding, 'more'> & { more: number };

/** The place for findings and for what was put up with; memory does not grow with their number. */
export class Findings {
  readonly #kept = new Map<string, Kept>();
  readonly #shown = new Map<string, number>();
  readonly #totals: Record<Confidence, number> = { certain: 0, likely: 0, possible: 0 };
  #risks = 0;
  readonly #tolerances = new Map<string, { text: string; count: number; firstLine: number }>();

  add(finding: Omit<TraceFinding, 'more'>): void {
    this.#totals[finding.confidence] += 1;
    this.#risks += levelOf(finding);
    const group = `${finding.check} ${finding.confidence}`;
    const task = finding.evidence.at(-1)?.event.task ?? '';
    const key = `${group} ${finding.subject.device ?? finding.subject.space ?? ''} ${task}`;
    const same = this.#kept.get(key);
    const shown = this.#shown.get(group) ?? 0;
    if (same !== undefined) same.more += 1;
    else if (shown < SHOWN_EACH) {
      this.#shown.set(group, shown + 1);
      this.#kept.set(key, { ...finding, more: 0 });
    }
  }

  /** @param name - one word for the report, such as `duplicate-line` */
  tolerate(name: string, text: string, line: number): void {
    const known = this.#tolerances.get(name);
    if (known === undefined) this.#tolerances.set(name, { text, count: 1, firstLine: line });
    else known.count += 1;
  }

  get list(): readonly TraceFinding[] {
    return [...this.#kept.values()].toSorted(
      (a, b) =>
        levelOf(a) - levelOf(b) ||
        CONFIDENCES.indexOf(a.confidence) - CONFIDENCES.indexOf(b.confidence) ||
        lineOf(a) - lineOf(b),
    );
  }

  get totals(): Readonly<Record<Confidence, number>> {
    return this.#totals;
  }

  /** How many of all findings are risks. */
  get risks(): number {
    return this.#risks;
  }

  get tolerances(): readonly Tolerance[] {
    return [...this.#tolerances].map(([name, rest]) => ({ name, ...rest }));
  }
}

const levelOf = ({ check }: { readonly check: TraceFinding['check'] }): number =>
  CHECKS[check].level === 'violation' ? 0 : 1;

const lineOf = ({ evidence }: { readonly evidence: TraceFinding['evidence'] }): number =>
  evidence.at(-1)?.event.line ?? 0;
