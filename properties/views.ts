/** The two views of one run, held against the invariants and against each other; only what was touched is read. */
import type {
  Call,
  Invariant,
  InvariantId,
  Reply,
  Spec,
  State,
  Stateful,
  View,
  ViewColumn,
} from '../model/index.ts';

/** What is wrong with a view. */
export interface Wrong {
  readonly kind: 'invariant' | 'view' | 'specification';
  readonly serves: InvariantId;
  readonly clause: string;
  readonly detail: string;
}

type Checks<M> = Pick<Spec<M, Stateful>, 'view' | 'invariants'>;

export class Views<M> {
  /** The target's view. It writes there what it shows. */
  readonly shown: View;
  readonly #machine: M;
  /** Bits of all columns. */
  readonly #all: number;
  /** Where the target's view changed. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #own: View;
  readonly #columns: readonly ViewColumn<M>[];
  readonly #states: readonly StateCheck<M>[];
  readonly #steps: readonly StepCheck<M>[];
  readonly #ends: readonly StateCheck<M>[];
  readonly #noted: number[] = [];
  /** Columns of the specification's own view that changed since its invariants were asked. */
  #unasked = 0;

  constructor(spec: Checks<M>, machine: M, own: readonly Int32Array[]) {
    this.#machine = machine;
    this.#columns = spec.view;
    const lengths = spec.view.map(({ length }) => length(machine));
    const columns = lengths.map((length) => new Int32Array(length));
    this.#all = ~(-1 << lengths.length);
    this.#from = new Int32Array(lengths.length);
    this.#to = Int32Array.from(lengths);
    this.shown = { columns, shown: 0, touched: 0, from: this.#from, to: this.#to };
    const known = spec.view.reduce((mask, column, at) => mask | (column.own ? 1 << at : 0), 0);
    this.#own = { columns: own, shown: known, touched: 0 };
    this.#states = masked(spec.invariants, 'state') as unknown as readonly StateCheck<M>[];
    this.#steps = masked(spec.invariants, 'step') as unknown as readonly StepCheck<M>[];
    this.#ends = masked(spec.invariants, 'end') as unknown as readonly StateCheck<M>[];
  }

  /** A new script: nothing has been shown yet, everything must be looked at once. */
  reset(): void {
    this.spoil();
    this.shown.shown = 0;
    this.shown.touched = 0;
    this.#unasked = -1;
  }

  /** Everything must be looked at again: what was looked at last counts for nothing. */
  spoil(): void {
    this.shown.touched = this.#all;
    this.#settle();
    this.shown.touched = this.#all;
  }

  /** All was looked at. What will be touched is so as a whole, unless the target narrows it. */
  #settle(): void {
    for (let left = this.shown.touched & this.#all; left !== 0; left &= left - 1) {
      const at = 31 - Math.clz32(left & -left);
      this.#from[at] = 0;
      this.#to[at] = (this.shown.columns[at] as Int32Array).length;
    }
    this.shown.touched = 0;
  }

  /** Lets the step invariants note what they need of the view as it is before the target shows the next one. */
  before(): void {
    for (let at = 0; at < this.#steps.length; at++) {
      const { mask, invariant } = this.#steps[at] as StepCheck<M>;
      this.#noted[at] = (mask & ~this.shown.shown) === 0 ? invariant.before(this.shown) : Number.NaN;
    }
  }

  /** Some step invariant must be asked what this call did. */
  concernsSteps(call: Call, reply: Reply): boolean {
    for (let at = 0; at < this.#steps.length; at++) {
      const noted = this.#noted[at] ?? Number.NaN;
      const { concerns } = (this.#steps[at] as StepCheck<M>).invariant;
      if (!Number.isNaN(noted) && concerns?.(noted, call, reply, this.#machine) !== false) return true;
    }
    return false;
  }

  /** No step invariant is asked at the next check. */
  skipSteps(): void {
    this.#noted.length = 0;
  }

  /** The first thing wrong after a call. `state` is the specification's, after the effect. */
  check(call: Call, reply: Reply, state: State): Wrong | undefined {
    const { shown } = this;
    const ownTouched = state.touched;
    this.#unasked |= ownTouched;
    const wrong =
      this.#checkStates(this.#states, shown, shown.touched, 'invariant') ??
      this.checkSteps(call, reply) ??
      this.#blame(this.#compare(state, call));
    state.settle();
    this.#settle();
    return wrong;
  }

  /** A difference is the specification's fault if its own view breaks an invariant, which is asked only then. */
  #blame(difference: Wrong | undefined): Wrong | undefined {
    return difference === undefined ? undefined : (this.checkOwn() ?? difference);
  }

  /** Asks the invariants of the specification's own view, as far as it changed since they were asked last. */
  checkOwn(): Wrong | undefined {
    const touched = this.#unasked;
    this.#unasked = 0;
    return this.#checkStates(this.#states, this.#own, touched, 'specification');
  }

  /** The same where there is no target: the specification took a step by itself. */
  checkAlone(state: State): Wrong | undefined {
    this.#unasked |= state.touched;
    state.settle();
    return this.checkOwn();
  }

  /** What must hold when everything was given back. */
  checkEnd(): Wrong | undefined {
    for (const { mask, invariant } of this.#ends) {
      if ((mask & ~this.shown.shown) !== 0) continue;
      const detail = invariant.broken(this.shown, this.#machine);
      if (detail !== undefined) return { kind: 'invariant', serves: invariant.id, clause: 'end', detail };
    }
    return undefined;
  }

  #checkStates(
    checks: readonly StateCheck<M>[],
    view: View,
    touched: number,
    kind: 'invariant' | 'specification',
  ): Wrong | undefined {
    for (let at = 0; at < checks.length; at++) {
      const { mask, invariant } = checks[at] as StateCheck<M>;
      if ((mask & touched) === 0 || (mask & ~view.shown) !== 0) continue;
      const detail = invariant.broken(view, this.#machine);
      if (detail !== undefined) return { kind, serves: invariant.id, clause: 'state', detail };
    }
    return undefined;
  }

  /** The first step invariant that a call breaks, by the view as it is: all there is to ask if nothing changed. */
  checkSteps(call: Call, reply: Reply): Wrong | undefined {
    for (let at = 0; at < this.#steps.length; at++) {
      const { mask, invariant } = this.#steps[at] as StepCheck<M>;
      const noted = this.#noted[at] ?? Number.NaN;
      // Not only where something was touched: what a call left undone touches nothing.
      if (Number.isNaN(noted) || (mask & ~this.shown.shown) !== 0) continue;
      const detail = invariant.broken(noted, this.shown, call, reply, this.#machine);
      if (detail !== undefined) return { kind: 'invariant', serves: invariant.id, clause: 'step', detail };
    }
    return undefined;
  }

  #compare(state: State, call: Call): Wrong | undefined {
    const { touched, shown } = this.shown;
    const both = shown & this.#own.shown & (touched | state.touched);
    for (let left = both; left !== 0; left &= left - 1) {
      const at = 31 - Math.clz32(left & -left);
      const isTouched = (touched & (1 << at)) !== 0;
      const from = isTouched ? Math.min(this.#from[at] as number, state.from(at)) : state.from(at);
      const to = isTouched ? Math.max(this.#to[at] as number, state.to(at)) : state.to(at);
      const index = this.#firstDifference(at, from, to);
      if (index >= 0) return this.#difference(at, index, call);
    }
    return undefined;
  }

  /** Index of the first pair of values that are not both right, from one index up to another, or -1. */
  #firstDifference(at: number, from: number, to: number): number {
    const own = this.#own.columns[at] as Int32Array;
    const shown = this.shown.columns[at] as Int32Array;
    const column = this.#columns[at] as ViewColumn<M>;
    const unknown = column.unknown ?? NO_VALUE;
    const end = Math.min(to, own.length, shown.length);
    for (let index = from; index < end; index++) {
      const a = own[index] as number;
      const b = shown[index] as number;
      if (a !== b && a !== unknown && !agree(column, a, b)) return index;
    }
    return -1;
  }

  #difference(at: number, index: number, call: Call): Wrong {
    const column = this.#columns[at] as ViewColumn<M>;
    const own = this.#own.columns[at]?.[index] ?? 0;
    const shown = this.shown.columns[at]?.[index] ?? 0;
    const show = column.show ?? String;
    const detail = `${column.name}[${index}] is ${show(shown)}, the specification says ${show(own)}`;
    return { kind: 'view', serves: column.serves(own, shown, call), clause: column.name, detail };
  }
}

interface Masked<M, Form> {
  /** Bits of the columns that the invariant reads. */
  readonly mask: number;
  readonly invariant: Extract<Invariant<M>, Form>;
}

type StateCheck<M> = Masked<M, { readonly form: 'state' | 'end' }>;
type StepCheck<M> = Masked<M, { readonly form: 'step' }>;

const masked = <M>(
  invariants: readonly Invariant<M>[],
  form: Invariant<M>['form'],
): { readonly mask: number; readonly invariant: Invariant<M> }[] =>
  invariants
    .filter((invariant) => invariant.form === form)
    .map((invariant) => ({ mask: invariant.reads.reduce((mask, at) => mask | (1 << at), 0), invariant }));

/** No value of any column: columns of 32 bits hold codes, numbers of things and bytes. */
const NO_VALUE = -0x8000_0000;

const agree = <M>(column: ViewColumn<M>, own: number, shown: number): boolean =>
  column.agrees?.(own, shown) ?? false;
