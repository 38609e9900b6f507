/**
 * What a specification is: one value that the engine takes. Ours (`index.ts`) is one, the toys of the tests and a
 * user's own calls are others. Everything in it is a table or a small function over the state's columns.
 */
import type { State } from './column.ts';
import type { Args, Call, Reply, Role, Value, View } from './target.ts';

/** Anything that has a state of columns; the rest of it is the specification's own business. */
export interface Stateful {
  readonly state: State;
}

/** What a rule may know besides its own state: the faults that fired, and what the target showed before the call. */
export interface Seen {
  readonly fired: readonly string[];
  /** The target's view as it was before the call; undefined when it shows nothing. */
  readonly view: View | undefined;
}

/** Ids of invariants, such as `I2`: section 14 of the documentation's list, the same everywhere. */
export type InvariantId = string;

/**
 * A condition with its name. In `refuse` and `may` the name is an errno. `serves`: what a caller who breaks the duty
 * breaks; without it the contract of the call, P1.
 */
export type Duty<S, A> = readonly [name: string, holds: (s: S, args: A) => boolean, serves?: InvariantId];
/** `why` ends the sentence "an errno is owed: …" in reports. */
export type Refusal<S, A> = readonly [
  errno: string,
  holds: (s: S, args: A, seen: Seen) => boolean,
  serves: InvariantId,
  why?: string,
];
export type Allowance<S, A> = readonly [errno: string, holds: (s: S, args: A, seen: Seen) => boolean];
/** A row with `needs` is judged only for targets with page numbers, else counted as unjudged. */
export type Condition<S, A, V> = readonly [
  name: string,
  holds: (s: S, args: A, value: V, seen: Seen) => boolean,
  serves: InvariantId,
  needs?: 'page-numbers',
];

/**
 * One call of the specification. Rows are evaluated in order and lazily, and may rely on those above them.
 *
 * `require` is the caller's duty: a call that breaks it is not made. `refuse` are the errnos owed, `may` those
 * allowed but not owed. `accept` judges the answer without choosing it. `effect` is the state after the call; it
 * runs only when every row is content. `owes` names the invariant that is broken when the call fails with
 * an errno that no row allows.
 */
export interface Rule<S, A, V> {
  readonly require: readonly Duty<S, A>[];
  readonly refuse: readonly Refusal<S, A>[];
  readonly may: readonly Allowance<S, A>[];
  readonly accept: readonly Condition<S, A, V>[];
  effect(s: S, args: A, value: V): void;
  owes(s: S, args: A): InvariantId;
  /** It has no way to fail: a fault makes it do less, and excuses no errno. */
  readonly recovers?: true;
  /** Names for the pages of a target that does not show page numbers. */
  fresh?(s: S, args: A): Value;
}

/** A thing that calls give and take. */
export interface Kind {
  /** The field a plain reference `"name"` means. */
  readonly main: string;
  /** The field, and the unit it counts in, that `{ "in": "name", "offset": n }` starts from. */
  readonly address?: { readonly field: string; readonly unit?: string };
  /** The same for a CPU, where its addresses are others than a device's. */
  readonly cpu?: { readonly field: string; readonly unit?: string };
  /** Held by users: may be made up, and is still sent after it was consumed. */
  readonly user?: true;
}

/** An argument as the table of calls declares it. `to` and `unit` may name a limit of the machine. */
export type ArgShape =
  | { readonly is: 'ref'; readonly of: readonly string[]; readonly consumes?: true }
  | { readonly is: 'refs'; readonly of: readonly string[]; readonly most: number }
  | {
      readonly is: 'address';
      readonly of: readonly string[];
      /** Whose addresses are meant, where the kinds have two. */
      readonly side?: 'cpu';
      /** Offsets are multiples of this limit, up to `to` of them. */
      readonly step: string;
      readonly to: string;
      /** Addresses that no result names are tried too, below this limit. */
      readonly wild?: string;
    }
  | {
      readonly is: 'number';
      readonly from: number;
      readonly to: number | string;
      /** It is given back as it is: see {@link Range}. */
      readonly opaque?: true;
      /** Values are multiples of this limit; `ragged` ones end anywhere in the last unit. */
      readonly unit?: string;
      readonly ragged?: true;
      /** Values in the range, in its unit, that are tried half of the time: what lies between means less. */
      readonly likely?: readonly number[];
      /** Values outside the range that are tried now and then: refusals are part of the contract. */
      readonly odd?: readonly (number | string)[];
    }
  | { readonly is: 'word'; readonly of: readonly string[] }
  | { readonly is: 'words'; readonly of: readonly string[] };

/** Numbers from `from` (0) on, up to `to` or below `below`, multiples of `unit`. Words are limits of the machine. */
export type Range = {
  readonly from?: number;
  readonly unit?: number | string;
  /** Rules only ask whether two are equal: those there can be and one more stand for all. */
  readonly opaque?: true;
  /** An argument: whatever it is, the number may be that. */
  readonly or?: string;
} & ({ readonly to: number | string } | { readonly below: number | string });

/**
 * A field of a result, as the table of calls declares it: whatever is right is among these numbers. `pfn` are numbers
 * of pages. `chosen`: which of them is up to the implementation.
 */
export type FieldShape = { readonly chosen?: true } & (
  | ({ readonly is: 'number' | 'pfn' } & Range)
  /** What it was when it was told last, or one more. */
  | { readonly is: 'number'; readonly counts: true }
  /** Up to `most` groups, of an entry from each range; no page twice. */
  | { readonly is: 'numbers' | 'pfns'; readonly of: readonly Range[]; readonly most: number | string }
);

/** One row of the table of calls. */
export interface CallShape {
  readonly layer: string;
  /** Who makes it: what a kernel caller would never do is not sent, what a user could do is. */
  readonly by: 'user' | 'kernel' | 'device';
  readonly text: string;
  readonly args: Readonly<Record<string, ArgShape>>;
  /** A probe: in some scripts these calls are followed by one of everything that it can name. */
  readonly probes?: readonly string[];
  /** A step of something longer: now and then it is made up to so often in a row. */
  readonly repeats?: number;
  /** Fault sites that an implementation is likely to ask in this call: what is made to fail. */
  readonly sites?: readonly string[];
  readonly gives?: {
    readonly kind?: string;
    readonly fields: Readonly<Record<string, FieldShape>>;
  };
}

/** One column of the view, at the place that its number in `Spec.view` gives it. */
export interface ViewColumn<M> {
  readonly name: string;
  length(machine: M): number;
  /** False when only targets show it: invariants read it, nothing is compared. */
  readonly own: boolean;
  /** A value of the specification that goes with every value of the target. */
  readonly unknown?: number;
  /** Whether a value of the specification and a different one of the target are both right. */
  agrees?(own: number, shown: number): boolean;
  /** The invariant that a difference breaks. */
  serves(own: number, shown: number, call: Call): InvariantId;
  /** A value in words, for reports. */
  show?(value: number): string;
}

interface InvariantBase {
  readonly id: InvariantId;
  readonly text: string;
  /** Numbers of the view's columns it looks at. */
  readonly reads: readonly number[];
}

/**
 * What holds between calls. `state`: of every view. `step`: of what a call did. `end`: after everything was
 * given back. `clause`: judged by rows of rules and by comparing views, which name it. `broken` says what is
 * wrong in words, or undefined.
 */
export type Invariant<M> = InvariantBase &
  (
    | { readonly form: 'state' | 'end'; broken(view: View, machine: M): string | undefined }
    | {
        readonly form: 'step';
        /** A number of the view before the call, handed to `broken`. */
        before(view: View): number;
        /** False: of this call it has nothing to say, whatever the view after it. */
        concerns?(before: number, call: Call, reply: Reply, machine: M): boolean;
        broken(before: number, view: View, call: Call, reply: Reply, machine: M): string | undefined;
      }
    | { readonly form: 'clause' }
  );

/** An interesting situation, counted; a run that never met it checked less than it seems. */
export interface Label<S> {
  readonly name: string;
  readonly calls: readonly string[];
  /** Asked before the effect. */
  holds(s: S, args: Args, reply: Reply, seen: Seen): boolean;
}

/** One number of the machine: its range, what it is without being asked for, and what it means. */
export interface SpecField {
  readonly from: number;
  readonly to: number;
  readonly default: number;
  readonly powerOfTwo?: boolean;
  /** Values that scripts are generated with; without them the default. */
  readonly drawn?: readonly number[];
  readonly text: string;
}

export interface SpecPolicy {
  readonly values: readonly string[];
  /** Every value is right: scripts are generated with all of them. */
  readonly free?: true;
  readonly text: string;
}

/** A claim about a pair of policies' values: what must be true for a finding to count as the verdict's. */
export interface Premise<S> {
  readonly name: string;
  readonly text: string;
  /** Policies that the specification takes for granted, whatever the machine of the target has. */
  readonly assumes?: Readonly<Record<string, string>>;
  /** The invariants that the argument is about: a finding of another one decides nothing. */
  readonly about: readonly InvariantId[];
  /** `failing` is the call at which the finding was made. */
  holds(s: S, failing: Call): boolean;
}

/** Things that must not notice each other: the same is observed of one with and without the commands of the others. */
export interface Isolation {
  /** Their kind. A command belongs to the one of them that its references lead to. */
  readonly kind: string;
  /** Calls that they make; those that refer to nothing happen by themselves, with and without the others. */
  readonly calls: readonly string[];
  /** Policies without which they may notice each other. */
  readonly policies: Readonly<Record<string, string>>;
  /** Fields that are the same; all others are ids, which are compared up to a bijection, addresses and pages. */
  readonly fields: readonly string[];
  /** Calls that look at a whole address space: comparable as long as all addresses in it are the same. */
  readonly everywhere: readonly string[];
  /** The argument that says how large an access is, and the limit up to which it stays inside whatever it starts in. */
  readonly size: string;
  readonly extent: string;
  /** The invariant that is broken when the values of a field differ, or an `errno` or `ids`, which come without. */
  serves(field: string, one: readonly number[], other: readonly number[]): InvariantId;
}

/** What a search looks at, as far as it matters for what may be renamed. */
export interface Bounds extends Required<Pick<NamedScope, 'values' | 'few'>> {
  readonly calls: ReadonlySet<string>;
  /** The specification is searched without a target, with every reply that it admits. */
  readonly alone: boolean;
}

/** Things that differ in nothing but their ids. */
export interface Sort<M> {
  readonly name: string;
  /** The sort whose things have such things of their own: both ids together name one. */
  readonly of?: string;
  /** Ids that may be swapped: whatever can be done to a thing can be done to all of them, with the same effects. */
  ids(machine: M, bounds: Bounds): readonly number[];
}

/** What may be renamed without a difference, and where the names stand in the words of a state. */
export interface Symmetry<M, S> {
  readonly sorts: readonly Sort<M>[];
  roles(s: S): readonly Role[];
}

/** What a call that failed has changed and must not: the column, the change in words, and what it breaks. */
export interface LeftBehind {
  readonly serves: InvariantId;
  readonly clause: string;
  readonly detail: string;
}

/** A value of an argument: see {@link NamedScope}. */
export type Choice = number | string | readonly string[] | { readonly offset: number };

/** A machine and calls so few that every script up to a length can be tried. */
export interface NamedScope {
  readonly text: string;
  /** The numbers that differ from the defaults, policies and start map, as in a script. */
  readonly machine: Readonly<Record<string, unknown>>;
  /** Calls that are made. */
  readonly only: readonly string[];
  /**
   * Values of arguments, by call and argument: numbers, words, lists of words; for a place an offset in whatever has
   * addresses, or an address as a number; for a list of references how many there are; for what users hold ids that
   * are tried beside those that exist.
   */
  readonly values?: Readonly<Record<string, Readonly<Record<string, readonly Choice[]>>>>;
  /** How many values every other number, offset and length of a list takes: the first of its range. Default 1. */
  readonly few?: number;
  /** Commands in a script at the most. */
  readonly depth: number;
  /** Calls of a script in which a fault is injected, at the most: each fault site of the call fails once. Default 0. */
  readonly faults?: number;
  /** Calls of a script that another actor's call interrupts at a switch point, at the most. Default 0. */
  readonly overlaps?: number;
  /** Of states that differ in names alone, such as ids of clients, one is visited. */
  readonly symmetry?: boolean;
  /** States at which a search gives up; undefined: as for every scope. */
  readonly states?: number;
  /** For a night, not for every change. */
  readonly large?: true;
}

export interface Spec<M, S extends Stateful> {
  readonly name: string;
  readonly fields: Readonly<Record<string, SpecField>>;
  readonly policies: Readonly<Record<string, SpecPolicy>>;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly calls: Readonly<Record<string, CallShape>>;
  readonly rules: Readonly<Record<string, Rule<S, Args, Value>>>;
  /** Fault sites with the errnos each may cause; none: the call recovers. */
  readonly sites: Readonly<Record<string, readonly string[]>>;
  readonly view: readonly ViewColumn<M>[];
  readonly invariants: readonly Invariant<M>[];
  readonly labels: readonly Label<S>[];
  readonly premises: readonly Premise<S>[];
  readonly isolation?: Isolation;
  readonly scopes: Readonly<Record<string, NamedScope>>;
  readonly symmetry?: Symmetry<M, S>;
  /** Calls that give everything back, in this order; each consumes one reference, or has no arguments. */
  readonly closing: readonly string[];
  machineProblem(machine: M): string | undefined;
  /** The machine's numbers and what follows from them, for the `to` and `unit` of arguments. */
  limits(machine: M): Readonly<Record<string, number>>;
  boot(machine: M, pageNumbers: boolean): S;
  /** The state's own view: the same columns as `view`, empty where the specification knows nothing. */
  columns(s: S): readonly Int32Array[];
  leftBehind?(before: readonly Int32Array[], after: View, machine: M): LeftBehind | undefined;
  /** A coarse class of the state, from 0. Asked before every call: few of them, told without looking at all of it. */
  stateClass?(s: S): number;
  /** Raw ids of everything of a kind that exists. */
  live(s: S, kind: string): readonly number[];
  /** Where everything of a kind starts: what `{ "in": … }` counts from, in bytes. */
  addresses(s: S, kind: string, side?: 'cpu'): readonly number[];
}
