/** Holds a reply against a rule. The judge knows no calls; it evaluates tables. */
import type { Allowance, Condition, Duty, InvariantId, Refusal, Rule, Seen } from './spec.ts';
import type { Args, Reply, Value } from './target.ts';

/** Where rows are counted: how often each was seen true, and how often false. */
export interface Tally {
  note(row: number, holds: boolean): void;
  unjudged(row: number): void;
}

/** A reply that the rule does not allow. */
export interface Disagreement {
  /** The row that decided, or `success` where no row allows the errno. */
  readonly clause: string;
  readonly expected: string;
  readonly serves: InvariantId;
}

/** What the judge is told about the target and the fault sites. */
export interface Terms {
  /** Of several refusals that hold, the first is owed. */
  readonly errnoOrder: boolean;
  readonly pageNumbers: boolean;
  readonly sites: Readonly<Record<string, readonly string[]>>;
}

/** Number of rows that are counted for a rule: `refuse`, then `may`, then `accept`. */
export const rowCount = <S, A, V>(rule: Rule<S, A, V>): number =>
  rule.refuse.length + rule.may.length + rule.accept.length;

/** True when the caller may make the call at all. */
export const isDue = <S>(rule: Rule<S, Args, Value>, s: S, args: Args): boolean =>
  brokenDuty(rule, s, args) === undefined;

/** The first duty of the caller that the call would break. */
export function brokenDuty<S>(rule: Rule<S, Args, Value>, s: S, args: Args): Duty<S, Args> | undefined {
  for (let row = 0; row < rule.require.length; row++) {
    const duty = rule.require[row] as Duty<S, Args>;
    if (!duty[1](s, args)) return duty;
  }
  return undefined;
}

/**
 * Judges a reply. Nothing changes; the caller runs `effect` when the answer is undefined and the reply a value.
 *
 * @param first - number of the rule's first row in the tally
 */
export function judge<S>(
  rule: Rule<S, Args, Value>,
  s: S,
  args: Args,
  reply: Reply,
  seen: Seen,
  terms: Terms,
  tally: Tally,
  first: number,
): Disagreement | undefined {
  if ('errno' in reply) return judgeErrno(rule, s, args, reply.errno, seen, terms, tally, first);
  for (let row = 0; row < rule.refuse.length; row++) {
    const refusal = rule.refuse[row] as Refusal<S, Args>;
    const refused = refusal[1](s, args, seen);
    tally.note(first + row, refused);
    if (refused) return owes(refusal);
  }
  const row = first + rule.refuse.length + rule.may.length;
  return judgeValue(rule, s, args, reply.ok, seen, terms, tally, row);
}

/** The errno of a refusal was not given. */
const owes = <S, A>([errno, , serves, why]: Refusal<S, A>): Disagreement => ({
  clause: `refuse ${errno}`,
  expected: why === undefined ? `errno ${errno}` : `errno ${errno}: ${why}`,
  serves,
});

function judgeValue<S>(
  rule: Rule<S, Args, Value>,
  s: S,
  args: Args,
  value: Value,
  seen: Seen,
  terms: Terms,
  tally: Tally,
  first: number,
): Disagreement | undefined {
  for (let row = 0; row < rule.accept.length; row++) {
    const [name, holds, serves, needs] = rule.accept[row] as Condition<S, Args, Value>;
    if (needs !== undefined && !terms.pageNumbers) {
      tally.unjudged(first + row);
      continue;
    }
    const content = holds(s, args, value, seen);
    tally.note(first + row, content);
    if (!content) return { clause: name, expected: name, serves };
  }
  return undefined;
}

/** If several refusals hold, any of their errnos is right; a fault that fired may cause the errnos of its site. */
function judgeErrno<S>(
  rule: Rule<S, Args, Value>,
  s: S,
  args: Args,
  errno: string,
  seen: Seen,
  terms: Terms,
  tally: Tally,
  first: number,
): Disagreement | undefined {
  let owed: Refusal<S, Args> | undefined;
  for (let row = 0; row < rule.refuse.length; row++) {
    const refusal = rule.refuse[row] as Refusal<S, Args>;
    const refused = refusal[1](s, args, seen);
    tally.note(first + row, refused);
    if (refused && refusal[0] === errno && !(terms.errnoOrder && owed !== undefined)) return undefined;
    if (refused) owed ??= refusal;
  }
  if (isAllowed(rule, s, args, errno, seen, tally, first + rule.refuse.length)) return undefined;
  const isCaused = seen.fired.some((site) => terms.sites[site]?.includes(errno));
  if (isCaused && rule.recovers !== true) return undefined;
  if (owed !== undefined) return owes(owed);
  return { clause: `no ${errno}`, expected: 'success', serves: rule.owes(s, args) };
}

function isAllowed<S>(
  rule: Rule<S, Args, Value>,
  s: S,
  args: Args,
  errno: string,
  seen: Seen,
  tally: Tally,
  first: number,
): boolean {
  for (let row = 0; row < rule.may.length; row++) {
    const [name, holds] = rule.may[row] as Allowance<S, Args>;
    if (name !== errno) continue;
    const allowed = holds(s, args, seen);
    tally.note(first + row, allowed);
    if (allowed) return true;
  }
  return false;
}
