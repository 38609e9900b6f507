/**
 * What a target is: whatever claims to manage memory. Types only, so that an adapter depends on nothing that runs.
 *
 * A target boots a machine, answers calls, and shows of itself what it can. Three optional parts open further
 * uses: `start` and `resume` let calls be interrupted, `mark`, `undo` and `fingerprint` let a search go back.
 */

/** A resolved argument: a number, a word, or a list. Literals of 2^53 and more arrive as the nearest double. */
export type Arg = number | string | readonly number[] | readonly string[];
export type Args = Readonly<Record<string, Arg>>;

/** One call, with every reference of the script filled in. */
export interface Call {
  readonly op: string;
  readonly args: Args;
  /** Fault sites that must fail in this call: the n-th time the site is asked, from 1. */
  readonly fail?: Readonly<Record<string, number>>;
}

/** What a successful call gives back, by field name. The table of calls says which fields there are. */
export type Value = Readonly<Record<string, number | readonly number[]>>;

/** The answer to one call: a value or the name of an errno. `fired` lists the fault sites that failed in it. */
export type Reply =
  | { readonly ok: Value; readonly fired?: readonly string[] }
  | { readonly errno: string; readonly fired?: readonly string[] };

/** Where an interrupted call stopped: the number of the switch point, from 1. */
export interface Suspended {
  readonly point: number;
}

/**
 * What a target shows of itself beyond replies. The columns belong to the engine, which keeps them from one
 * command to the next; which column means what is said by the specification (`Spec.view`).
 */
export interface View {
  /** One array a column, of the lengths the specification asked for. */
  readonly columns: readonly Int32Array[];
  /** Bit n is set when the target shows column n at all. */
  shown: number;
  /** Bit n is set when column n may have changed since the engine last looked; the engine clears it. */
  touched: number;
  /**
   * What of a touched column may have changed: from index `from[n]`, up to `to[n]`. The engine opens them to the whole
   * column whenever it has looked; a target may narrow them, but not when it shows the column for the first time after
   * boot. Where the bit was set already, the range must grow to hold both changes.
   */
  readonly from?: Int32Array;
  readonly to?: Int32Array;
}

/**
 * What a target is able to do. `page-numbers`: replies and view name physical pages. `faults`: fault sites fail on
 * demand. `errno-order`: where several refusals apply, the first in the specification's order is the one given.
 */
export type Capability = 'page-numbers' | 'faults' | 'errno-order';

interface Described {
  /** Name for reports, such as `builtin` or `zoo/stale-iotlb`. */
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** The calls it answers, or undefined for all. */
  readonly calls?: ReadonlySet<string>;
}

/** A target in this process. `boot` starts afresh, whatever went before. */
export interface Target<M> extends Described {
  boot(machine: M): void;
  apply(call: Call): Reply;
  /** Writes what changed since the last call of `observe` into the view and sets its bits. */
  observe(view: View): void;
  readonly concurrent?: Concurrent;
  readonly undoable?: Undoable;
}

/** A target whose calls can be interrupted at switch points. One call an actor at a time. */
export interface Concurrent {
  /**
   * How many switch points a call has, by its name; the others run from end to end. Without it schedules can be
   * replayed, but none are drawn.
   */
  readonly points?: Readonly<Record<string, number>>;
  start(actor: string, call: Call): Reply | Suspended;
  resume(actor: string): Reply | Suspended;
}

/** A target that can go back to an earlier state, and tell states apart by 64 bits. */
export interface Undoable {
  /** Starts logging; without it, `mark` and `undo` are not available and cost nothing. */
  attach(): void;
  mark(): void;
  /** Back to the last mark, which stays. */
  undo(): void;
  /** Forgets the last mark without going back. */
  drop(): void;
  fingerprint(): readonly [low: number, high: number];
  readonly renamable?: Renamable;
}

/**
 * A digit of a number that stands for several: how many values it has, or whose id it is (a sort of the specification),
 * or both. The first needs no number of values.
 */
export type Digit = number | string | readonly [sort: string, values: number];

/** What a number from `from` on consists of, the most significant digit first. Lower ones name nothing. */
export interface Naming {
  readonly from: number;
  readonly digits: readonly Digit[];
}

/** A run of words of a state: whose ids there are in their indices, counted from the first, and in them. */
export interface Role {
  readonly first: number;
  readonly count: number;
  readonly index?: Naming;
  readonly value?: Naming;
}

/** A state of which it is known where ids stand, so that a search can tell what is the same but for names. */
export interface Renamable {
  /** In all other words there is no id. */
  roles(): readonly Role[];
  /** From now on, or until `attach`, this is called for every word that changes, but not when it goes back. */
  listen(heard: Heard | undefined): void;
}

export type Heard = (word: number, old: number, value: number) => void;

/** A command as a remote target gets it: references are slots, filled by the command of that number. */
export interface SlotCall {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Slot the result goes to, or absent when nobody refers to it. */
  readonly into?: number;
  readonly fail?: Readonly<Record<string, number>>;
}

/** A remote answer may carry columns of the view, by name. */
export type RemoteReply = Reply & { readonly shown?: Readonly<Record<string, readonly number[]>> };

/** A target that lives elsewhere. `skipped`: a slot that the command needs is empty. */
export interface RemoteTarget<M> extends Described {
  boot(machine: M): Promise<void>;
  batch(calls: readonly SlotCall[]): Promise<readonly (RemoteReply | 'skipped')[]>;
  close(): Promise<void>;
}
