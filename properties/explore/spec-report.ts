/** What searching a specification says of its rules: which choose, which nobody can obey, which were not asked. */
import type { CallShape, FieldShape } from '../../model/index.ts';
import type { Replies } from './replies.ts';

/** What was asked of one rule, and what it admitted. Plain data: it crosses threads. */
export interface RuleReplies {
  /** Calls that it was asked about: every call that is due, in every state. */
  asked: number;
  /** Of these, calls to which an errno was owed. */
  refused: number;
  /** Calls that a value answers. */
  answered: number;
  /** Calls of which not every value could be tried. */
  cut: number;
  /** Replies to one call. */
  least: number;
  most: number;
  /** By field that is up to the implementation. */
  readonly choices: Record<string, Choice>;
}

/** What one field was left. Only calls count for which its form had two values or more that nothing has yet. */
interface Choice {
  calls: number;
  /** Different values that one call left, at the most. */
  most: number;
}

/** By call; a rule that was never asked is missing. */
export type SpecCounts = Record<string, RuleReplies>;

/** A rule about which something is to be said. */
export interface RuleNote {
  readonly op: string;
  readonly field?: string;
  /** In so many states and arguments. */
  readonly calls: number;
}

export interface SpecReport {
  /** The table leaves the field to the implementation, and the rule left it one value, whenever a value was right. */
  readonly choosing: readonly RuleNote[];
  /** No value was ever right, although no errno was owed. */
  readonly barren: readonly RuleNote[];
  readonly unasked: readonly string[];
  /** More values than were tried, so that nothing is said of these calls. */
  readonly cut: readonly RuleNote[];
}

/**
 * Notes what a rule admitted.
 *
 * @param widthOf - values of a field that its form leaves and that nothing has yet
 */
export function noteReplies(
  counts: SpecCounts,
  op: string,
  { gives }: CallShape,
  { values, errnos, isCut, isRefused }: Replies,
  widthOf: (field: string, shape: FieldShape) => number,
): void {
  const known = counts[op] ?? nothingAsked();
  counts[op] = known;
  const replies = values.length + errnos.length;
  known.asked++;
  if (isRefused) known.refused++;
  if (isCut) known.cut++;
  known.least = Math.min(known.least, replies);
  known.most = Math.max(known.most, replies);
  if (values.length === 0) return;
  known.answered++;
  for (const [field, shape] of Object.entries(gives?.fields ?? {})) {
    if (shape.chosen !== true || widthOf(field, shape) < 2) continue;
    const most = new Set(values.map((value) => String(value[field]))).size;
    noteChoice(known, field, { calls: 1, most });
  }
}

function noteChoice({ choices }: RuleReplies, field: string, { calls, most }: Choice): void {
  const known = choices[field] ?? { calls: 0, most: 0 };
  choices[field] = { calls: known.calls + calls, most: Math.max(known.most, most) };
}

const nothingAsked = (): RuleReplies => ({
  asked: 0,
  refused: 0,
  answered: 0,
  cut: 0,
  least: Number.POSITIVE_INFINITY,
  most: 0,
  choices: {},
});

/** Adds what another thread counted. */
export function addSpecCounts(sum: SpecCounts, more: SpecCounts): void {
  for (const [op, one] of Object.entries(more)) {
    const known = sum[op] ?? nothingAsked();
    sum[op] = known;
    for (const key of ['asked', 'refused', 'answered', 'cut'] as const) known[key] += one[key];
    known.least = Math.min(known.least, one.least);
    known.most = Math.max(known.most, one.most);
    for (const [field, choice] of Object.entries(one.choices)) noteChoice(known, field, choice);
  }
}

/** @param ops - the calls of the scope */
export function specReport(counts: SpecCounts, ops: readonly string[]): SpecReport {
  const asked = ops.flatMap((op) => {
    const rule = counts[op];
    return rule === undefined ? [] : [{ op, rule }];
  });
  return {
    choosing: asked.flatMap(({ op, rule }) =>
      Object.entries(rule.choices)
        .filter(([, { most }]) => most === 1 && rule.cut === 0)
        .map(([field, { calls }]) => ({ op, field, calls })),
    ),
    barren: asked
      .filter(({ rule }) => rule.answered === 0 && rule.cut === 0 && rule.asked > rule.refused)
      .map(({ op, rule }) => ({ op, calls: rule.asked - rule.refused })),
    unasked: ops.filter((op) => counts[op] === undefined),
    cut: asked.filter(({ rule }) => rule.cut > 0).map(({ op, rule }) => ({ op, calls: rule.cut })),
  };
}
