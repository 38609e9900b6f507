/**
 * Asks a specification whether it would notice. Beside an ordinary run of a right target each reply is judged once more
 * by every mutant of its rule, and replies that are nearly right are judged by the rule and by its mutants.
 *
 * That is as good as a run for each mutant: a row changes neither effects nor the target, so a run with a mutant is the
 * same run up to the first reply that the two judge differently, and that reply decides.
 */
import {
  type Args,
  type Call,
  type CallShape,
  judge,
  type Reply,
  type Rule,
  rowCount,
  type Spec,
  type Stateful,
  type Tally,
  type Target,
  type Value,
} from '../model/index.ts';
import { admittedValues, isRight, type Question, type Space } from './explore/replies.ts';
import { limitsOf } from './machine.ts';
import { nearMisses, unitsOf } from './near-miss.ts';
import type { Script } from './script.ts';
import { ruleWithout } from './spec-mutants.ts';
import { Stepper } from './stepper.ts';
import { firstRows } from './tally.ts';

/** What is known of every row of all rules, numbered as `rowNames` lists them. Plain data: it crosses threads. */
export interface Audited {
  /** Without this row something right is called wrong, or something wrong right. */
  readonly killed: boolean[];
  /** It was seen true, and false, when it was asked about replies that were not given. */
  readonly seenTrue: boolean[];
  readonly seenFalse: boolean[];
}

export const nothingAudited = (rows: number): Audited => ({
  killed: new Array<boolean>(rows).fill(false),
  seenTrue: new Array<boolean>(rows).fill(false),
  seenFalse: new Array<boolean>(rows).fill(false),
});

/** Puts together what several runs showed. */
export function addAudited(sum: Audited, more: Audited): void {
  for (const key of ['killed', 'seenTrue', 'seenFalse'] as const) {
    for (const [row, is] of more[key].entries()) sum[key][row] ||= is;
  }
}

/** The same target, as one that shows only some columns of its view, by their bits. */
export const showingOnly = <M>(target: Target<M>, columns: number): Target<M> => ({
  name: target.name,
  capabilities: target.capabilities,
  ...(target.calls === undefined ? {} : { calls: target.calls }),
  boot: (machine) => target.boot(machine),
  apply: (call) => target.apply(call),
  observe(view) {
    target.observe(view);
    view.shown &= columns;
  },
});

/** The same target, as one of which nothing is seen but replies, and whose page numbers are only names. */
export const hiding = <M>(target: Target<M>): Target<M> => ({
  ...showingOnly(target, 0),
  capabilities: new Set([...target.capabilities].filter((each) => each !== 'page-numbers')),
});

/** One call with its rule. */
interface Audit<S> {
  readonly shape: CallShape;
  readonly rule: Rule<S, Args, Value>;
  /** The rule without each of its rows. */
  readonly mutants: readonly Rule<S, Args, Value>[];
  /** Number of its first row. */
  readonly first: number;
}

/** Values that are tried of one field, or of all where an errno is owed. */
const TRIED_MAX = 300;
/** Entries of the list that was given last: they are in use as a rule. */
const TAKEN_MAX = 12;

/** Audits a specification by the replies of one target, which must be right. */
export class Auditor<M, S extends Stateful> {
  readonly audited: Audited;
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #stepper: Stepper<M, S>;
  readonly #audits: ReadonlyMap<string, Audit<S>>;
  #units: readonly number[] = [];
  #taken: readonly number[] = [];
  #space: Space = { limits: {}, counted: 0 };

  /** @param audited - what is known already, and need not be shown again */
  constructor(spec: Spec<M, S>, target: Target<M>, audited: Audited) {
    this.audited = audited;
    this.#spec = spec;
    this.#target = target;
    this.#stepper = new Stepper(spec, target);
    this.#audits = auditsOf(spec);
  }

  /** Runs a script and asks at every reply. A finding ends it: what comes after it says nothing. */
  run(script: Script): void {
    const stepper = this.#stepper;
    const machine = stepper.begin(script);
    const limits = limitsOf(this.#spec, machine);
    this.#taken = [];
    this.#space = { limits, counted: 0 };
    this.#units = unitsOf(this.#spec).map((unit) => limits[unit] ?? 1);
    this.#target.boot(machine);
    stepper.lockstep.refresh(this.#target);
    for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
      const reply = this.#target.apply(call);
      this.#ask(stepper.call, reply);
      if (stepper.give(reply, this.#target) !== undefined) return;
    }
  }

  #ask(call: Call, reply: Reply): void {
    const audit = this.#audits.get(call.op);
    if (audit === undefined || this.#isDone(audit)) return;
    const { lockstep, terms } = this.#stepper;
    const { shape, rule } = audit;
    const known = { shape, rule, world: lockstep.world, args: call.args, seen: lockstep.seen(reply), terms };
    const fixed = lockstep.named(call, {});
    const asked = new Asked(audit, { ...known, faults: [], fixed }, this.#space, this.audited);
    asked.allowances();
    if ('errno' in reply) {
      asked.errno(reply.errno);
      asked.refusals();
      return;
    }
    if (!asked.isOpen('accept')) return;
    const value = lockstep.named(call, reply.ok);
    asked.numbers(value);
    for (const near of nearMisses(value, this.#units, this.#taken)) asked.wrong(near);
    const lists = Object.values(value).filter((field) => typeof field !== 'number');
    this.#taken = [...lists.flat(), ...this.#taken].slice(0, TAKEN_MAX);
  }

  /** Nothing is left to ask of this call. */
  #isDone({ rule, first, mutants }: Audit<S>): boolean {
    const { killed, seenTrue, seenFalse } = this.audited;
    const may = first + rule.refuse.length;
    for (let row = first; row < first + mutants.length; row++) {
      const isMay = row >= may && row < may + rule.may.length;
      if (!killed[row] || (isMay && !(seenTrue[row] && seenFalse[row]))) return false;
    }
    return true;
  }
}

function auditsOf<M, S extends Stateful>(spec: Spec<M, S>): Map<string, Audit<S>> {
  const { first } = firstRows(spec);
  const audits = Object.entries(spec.rules).map(([op, rule]): [string, Audit<S>] => {
    const mutants = Array.from({ length: rowCount(rule) }, (_, row) => ruleWithout(rule, row));
    return [op, { shape: spec.calls[op] as CallShape, rule, mutants, first: first.get(op) ?? 0 }];
  });
  return new Map(audits);
}

/** Questions about one call in one state. */
class Asked<S> {
  readonly #audit: Audit<S>;
  readonly #question: Question<S>;
  readonly #space: Space;
  readonly #audited: Audited;
  readonly #tally: Tally;
  /** The row that was asked last: of a reply that is wrong, the one that decided. */
  #last = 0;

  constructor(audit: Audit<S>, question: Question<S>, space: Space, audited: Audited) {
    this.#audit = audit;
    this.#question = question;
    this.#space = space;
    this.#audited = audited;
    this.#tally = {
      note: (row, holds) => {
        (holds ? audited.seenTrue : audited.seenFalse)[audit.first + row] = true;
        this.#last = row;
      },
      unjudged: () => {},
    };
  }

  /** A row of the table is not killed yet. */
  isOpen(table: 'refuse' | 'accept'): boolean {
    const { rule } = this.#audit;
    const first = table === 'refuse' ? 0 : rule.refuse.length + rule.may.length;
    return rule[table].some((_, at) => !this.#isKilled(first + at));
  }

  /** Rows of `may` are asked when their errno was given; here each is, whatever was given. */
  allowances(): void {
    const { rule, first } = this.#audit;
    const { seenTrue, seenFalse } = this.#audited;
    for (const [at, [errno]] of rule.may.entries()) {
      const row = first + rule.refuse.length + at;
      if (!seenTrue[row] || !seenFalse[row]) this.#judge({ errno });
    }
  }

  /** An errno that is right: without a row that names it, is it still? */
  errno(errno: string): void {
    const { rule } = this.#audit;
    for (const [row, [name]] of [...rule.refuse, ...rule.may].entries()) {
      if (name === errno && !this.#isKilled(row) && !this.#isRightWithout(row, { errno })) this.#kill(row);
    }
  }

  /** A value where an errno is owed: which rows alone stand in its way? */
  refusals(): void {
    for (const row of this.#audit.rule.refuse.keys()) this.#enumerate(row, {});
  }

  /** A right value with every other number in one field: which rows alone stand in their way? */
  numbers(value: Value): void {
    const { rule, shape } = this.#audit;
    const first = rule.refuse.length + rule.may.length;
    for (const [field, { is }] of Object.entries(shape.gives?.fields ?? {})) {
      if (is === 'numbers' || is === 'pfns') continue;
      const { [field]: _, ...others } = value;
      for (const at of rule.accept.keys()) this.#enumerate(first + at, others);
    }
  }

  /** What is right without the row, and wrong with it. */
  #enumerate(row: number, known: Value): void {
    const rule = this.#audit.mutants[row];
    if (rule === undefined || this.#isKilled(row)) return;
    const { fixed } = this.#question;
    const mutant = { ...this.#question, rule, fixed: { ...known, ...fixed } };
    try {
      for (const ok of admittedValues(mutant, this.#space, TRIED_MAX)) {
        if (this.#judge({ ok })) continue;
        this.#kill(row);
        return;
      }
    } catch {
      // Rows may rely on those above them: what only another row stumbles over is not called right.
    }
  }

  /** A value that is likely to be wrong: if it is, would it be without the row that says so? */
  wrong(ok: Value): void {
    if (this.#judge({ ok })) return;
    const row = this.#last;
    if (!this.#isKilled(row) && this.#isRightWithout(row, { ok })) this.#kill(row);
  }

  #judge(reply: Reply): boolean {
    const { rule, world, args, seen, terms } = this.#question;
    return judge(rule, world, args, reply, seen, terms, this.#tally, 0) === undefined;
  }

  #isRightWithout(row: number, reply: Reply): boolean {
    const rule = this.#audit.mutants[row];
    try {
      return rule !== undefined && isRight({ ...this.#question, rule }, reply);
    } catch {
      // Rows may rely on those above them: what only another row stumbles over is not called right.
      return false;
    }
  }

  #isKilled(row: number): boolean {
    return this.#audited.killed[this.#audit.first + row] === true;
  }

  #kill(row: number): void {
    this.#audited.killed[this.#audit.first + row] = true;
  }
}
