/** What the tests of the rules share: a world, and questions to the rules about it. */
import { expect } from 'chai';
import {
  type ArgsOf,
  COUNTER,
  type Disagreement,
  FIELDS,
  judge,
  type Machine,
  type Op,
  type Reply,
  type Seen,
  SITES,
  SPEC,
  type ValueOf,
  VIEW,
  type View,
  type World,
} from './index.ts';
import type { Args, Value } from './target.ts';

const ERRNOS = [
  ...['EADDRINUSE', 'EBADF', 'EBUSY', 'EEXIST', 'EFAULT', 'EINVAL', 'EMFILE', 'ENODEV', 'ENOENT'],
  ...['ENOMEM', 'ENOSPC', 'EOVERFLOW', 'ERANGE'],
];

/** A machine of 16 pages and 16 I/O pages, four lines a page, blocks of up to four pages. */
export function machineWith(fields: Partial<Machine> = {}): Machine {
  const numbers = Object.entries(FIELDS).map(([name, field]): [string, number] => [name, field.default]);
  const small = { pages: 16, orderMax: 2, vmallocPages: 16, ioBits: 10, contexts: 3, clients: 2 };
  const fewer = { handles: 2, sgTables: 2, jobs: 2, policies: {}, occupied: [], movable: [] };
  return { ...(Object.fromEntries(numbers) as unknown as Machine), ...small, ...fewer, ...fields };
}

/** What the target showed before the call. */
export interface Shown {
  readonly free: number;
  readonly hole: number;
  /** Order + 1 of free blocks; undefined: the target does not show them. */
  readonly orders: readonly number[] | undefined;
  readonly fired?: readonly string[];
  /** Pages that are kept and can be given up: parked, pooled, deferred. */
  readonly kept?: readonly [parked: number, pooled: number, deferred: number];
  /** Kinds of the pages; undefined: the target does not show them. */
  readonly kinds?: readonly number[];
}

export const PLENTY: Shown = { free: 1_000, hole: 1_000, orders: [11] };
/** The target shows nothing. */
export const NOTHING: Seen = { fired: [], view: undefined };

export function seen({ free, hole, orders, fired = [], kept = [0, 0, 0], kinds }: Shown): Seen {
  const counter = new Int32Array(Object.keys(COUNTER).length);
  counter[COUNTER.free] = free;
  counter[COUNTER.vmallocHole] = hole;
  counter.set(kept, COUNTER.parked);
  const columns = SPEC.view.map(() => new Int32Array(0));
  columns[VIEW.counter] = counter;
  columns[VIEW.freeOrder] = Int32Array.from(orders ?? [11]);
  columns[VIEW.kind] = Int32Array.from(kinds ?? []);
  const maybe = (given: object | undefined, column: number): number =>
    given === undefined ? 0 : 1 << column;
  const shown = (1 << VIEW.counter) | maybe(orders, VIEW.freeOrder) | maybe(kinds, VIEW.kind);
  return { fired, view: { columns, shown, touched: 0 } };
}

/** An empty view of a machine: every page is free, nothing exists. */
export function viewOf(machine: Machine): View & { readonly columns: readonly Int32Array[] } {
  return { columns: SPEC.view.map(({ length }) => new Int32Array(length(machine))), shown: -1, touched: -1 };
}

interface Outcomes {
  holds: number;
  fails: number;
}

/** How often each row of each rule came out either way, in all tests together. */
export const rows = new Map<string, Outcomes>();
for (const [op, { require, refuse, may, accept }] of Object.entries(SPEC.rules)) {
  for (const [name, list] of Object.entries({ require, refuse, may, accept })) {
    for (const [at, [row]] of list.entries()) rows.set(`${op} ${name} ${at} ${row}`, { holds: 0, fails: 0 });
  }
}

function note(op: string, list: string, at: number, row: string, holds: boolean): void {
  const outcomes = rows.get(`${op} ${list} ${at} ${row}`);
  if (outcomes === undefined) throw new Error(`${op} has no row ${list} ${at} ${row}`);
  if (holds) outcomes.holds++;
  else outcomes.fails++;
}

/** A world, and questions to the rules about it. Questions change nothing, and that is checked. */
export class Judged {
  readonly world: World;
  readonly pageNumbers: boolean;

  constructor(fields: Partial<Machine> = {}, pageNumbers = true) {
    this.world = SPEC.boot(machineWith(fields), pageNumbers);
    this.pageNumbers = pageNumbers;
  }

  /** The first duty that a caller breaks, or undefined: the call may be made. */
  undue<Name extends Op>(op: Name, args: ArgsOf<Name>): string | undefined {
    for (const [at, [name, holds]] of this.#rule(op).require.entries()) {
      const holding = holds(this.world, args as Args);
      note(op, 'require', at, name, holding);
      if (!holding) return name;
    }
    return undefined;
  }

  /** All errnos that are right answers. */
  errnos<Name extends Op>(op: Name, args: ArgsOf<Name>, given: Seen = seen(PLENTY)): string[] {
    return ERRNOS.filter((errno) => this.#ask(op, args, { errno }, given) === 'content');
  }

  /** What is said to an errno: `content`, or the clause and what it serves. */
  toErrno<Name extends Op>(op: Name, args: ArgsOf<Name>, errno: string, given: Seen = seen(PLENTY)): string {
    return this.#ask(op, args, { errno }, given);
  }

  /** What is said to a value: `content`, or the clause and what it serves. */
  to<Name extends Op>(
    op: Name,
    args: ArgsOf<Name>,
    value: ValueOf<Name>,
    given: Seen = seen(PLENTY),
  ): string {
    return this.#ask(op, args, { ok: value as Value }, given);
  }

  /** What is expected instead of a value, in words. */
  expected<Name extends Op>(op: Name, args: ArgsOf<Name>, value: ValueOf<Name>): string | undefined {
    return this.#judge(op, args, { ok: value as Value }, seen(PLENTY))?.expected;
  }

  /** Makes a call that is right. */
  make<Name extends Op>(op: Name, args: ArgsOf<Name>, value: ValueOf<Name>): ValueOf<Name> {
    expect(this.undue(op, args), `${op} is due`).to.equal(undefined);
    expect(this.to(op, args, value), op).to.equal('content');
    this.#rule(op).effect(this.world, args as Args, value as Value);
    return value;
  }

  /** Names for the pages that a call would give. */
  fresh<Name extends Op>(op: Name, args: ArgsOf<Name>): Value | undefined {
    return this.#rule(op).fresh?.(this.world, args as Args);
  }

  /** Takes blocks of one page. */
  hold(...pages: readonly number[]): void {
    for (const pfn of pages) this.make('alloc_pages', { order: 0 }, { pfn });
  }

  /** Every column is as it was when the machine was switched on. */
  expectBooted(): void {
    const booted = SPEC.boot(this.world.machine, this.pageNumbers);
    expect(this.world.state.words).to.deep.equal(booted.state.words);
  }

  #ask(op: Op, args: object, reply: Reply, given: Seen): string {
    const wrong = this.#judge(op, args, reply, given);
    return wrong === undefined ? 'content' : `${wrong.clause} (${wrong.serves})`;
  }

  #judge(op: Op, args: object, reply: Reply, given: Seen): Disagreement | undefined {
    const rule = this.#rule(op);
    const before = this.world.state.save();
    const names = [
      ...rule.refuse.map(([name], at) => ['refuse', at, name] as const),
      ...rule.may.map(([name], at) => ['may', at, name] as const),
      ...rule.accept.map(([name], at) => ['accept', at, name] as const),
    ];
    const tally = {
      note(row: number, holds: boolean): void {
        const [list, at, name] = names[row] ?? ['', -1, ''];
        note(op, list, at, name, holds);
      },
      unjudged: (): void => {},
    };
    const terms = { pageNumbers: this.pageNumbers, errnoOrder: false, sites: SITES };
    const wrong = judge(rule, this.world, args as Args, reply, given, terms, tally, 0);
    expect(this.world.state.words, 'a question changes nothing').to.deep.equal(before);
    return wrong;
  }

  #rule(op: Op): (typeof SPEC.rules)[string] {
    const rule = SPEC.rules[op];
    if (rule === undefined) throw new Error(`${op} has no rule`);
    return rule;
  }
}
