/** A disagreement between specification and target, as data. Exceptions are for bugs of ours and bad input. */
import type { Call, InvariantId, Reply } from '../model/index.ts';

/**
 * What went wrong. `reply`: a rule does not allow the answer. `invariant`: broken on the target's view. `view`: the two
 * views differ. `pair`: two runs differ, or what was shown before and after a call that failed. `crash`: the target
 * threw, died, hung or answered garbage. `specification`: an invariant is broken on the specification's own view, so
 * the specification is wrong. `flaky`: the target does not do the same when a script is run again. `duty`: the script
 * makes a call that no caller may make then; the target is not asked.
 */
export type FindingKind =
  | 'reply'
  | 'invariant'
  | 'view'
  | 'pair'
  | 'crash'
  | 'specification'
  | 'flaky'
  | 'duty';

export interface Finding {
  readonly kind: FindingKind;
  /** Index of the command in the script; from the script's length on, it is one of those that give all back. */
  readonly command: number;
  readonly call: Call;
  readonly reply?: Reply;
  readonly serves: InvariantId;
  /** The row, column or form that decided. */
  readonly clause: string;
  readonly layer: string;
  /** What was expected and what was seen, in words. */
  readonly detail: string;
  /** The replies that would have been right, in words, where somebody asked. */
  readonly allowed?: string;
  /** Name of the premise under which the finding decides an argument. */
  readonly premise?: string;
}

/** Two findings are the same when shrinking may replace one by the other. */
export const isSameFinding = (a: Finding, b: Finding): boolean => identityOf(a) === identityOf(b);

/** What stays the same while a script shrinks: kind, invariant, deciding row or column, layer and premise. */
export const identityOf = ({ kind, serves, clause, layer, premise }: Finding): string =>
  [kind, serves, clause, layer, premise ?? ''].join('|');

/** One sentence for a report, and what would have been right on a line of its own. */
export const describe = (finding: Finding): string =>
  finding.allowed === undefined ? sentenceOf(finding) : `${sentenceOf(finding)}\nallowed: ${finding.allowed}`;

function sentenceOf({ kind, call, serves, detail }: Finding): string {
  const where = showCall(call);
  switch (kind) {
    case 'crash':
      return `${where}: the target failed: ${detail}`;
    case 'specification':
      return `${where}: the specification breaks its own ${serves}: ${detail}`;
    case 'flaky':
      return `${where}: the target does not do the same every time: ${detail}`;
    case 'duty':
      return `${where}: its caller breaks a duty: ${detail}`;
    case 'reply':
    case 'invariant':
    case 'view':
    case 'pair':
      return `${where}: ${serves} broken: ${detail}`;
  }
}

/** What a target threw, in words. */
export const causeOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

/** A call as it is written in C, with its resolved arguments. */
export function showCall({ op, args, fail }: Call): string {
  const list = Object.entries(args).map(([name, value]) => `${name} ${showValue(value)}`);
  const faults = Object.entries(fail ?? {}).map(([site, n]) => `, ${site} fails at ${n}`);
  return `${op}(${list.join(', ')}${faults.join('')})`;
}

export function showReply(reply: Reply): string {
  if ('errno' in reply) return reply.errno;
  const fields = Object.entries(reply.ok).map(([name, value]) => `${name} ${showValue(value)}`);
  return fields.length === 0 ? 'ok' : fields.join(', ');
}

/** Numbers of 2^53 and more are doubles here: they are shown as what they are, near the literal of the script. */
function showValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  return typeof value === 'number' && !Number.isSafeInteger(value)
    ? `~${value.toExponential(3)}`
    : String(value);
}
