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
    const columns = spec.view.map(({ length }) => new Int32Array(length(machine)));
    this.shown = { columns, shown: 0, touched: 0 };
    const known = spec.view.reduce((mask, column, at) => mask | (column.own ? 1 << at : 0), 0);
    this.#own = { columns: own, shown: known, touched: 0 };
    this.#states = masked(spec.invariants, 'state') as unknown as readonly StateCheck<M>[];
    this.#steps = masked(spec.invariants, 'step') as unknown as readonly StepCheck<M>[];
    this.#ends = masked(spec.invariants, 'end') as unknown as readonly StateCheck<M>[];
  }

  /** A new script: nothing has been shown yet, everything must be looked at once. */
  reset(): void {
    this.shown.shown = 0;
    this.shown.touched = 0;
    this.#unasked = -1;
  }

  /** Lets the step invariants note what they need of the view as it is before the target shows the next one. */
  before(): void {
    for (let at = 0; at < this.#steps.length; at++) {
      const { mask, invariant } = this.#steps[at] as StepCheck<M>;
      this.#noted[at] = (mask & ~this.shown.shown) === 0 ? invariant.before(this.shown) : Number.NaN;
    }
  }

  /** No step invariant is asked at the next check. */
  skipSteps(): void {
    this.#noted.length = 0;
  }

  /** The first thing wrong after a call. `state` is the specification's, after the effect. */
  check(call: Call, reply: Reply, state: State): Wrong | undefined {
    const { shown } = this;
    const ownTouched = state.touched;
    const touched = shown.touched | ownTouched;
    state.touched = 0;
    this.#unasked |= ownTouched;
    const wrong =
      this.#checkStates(this.#states, shown, shown.touched, 'invariant') ??
      this.#checkSteps(call, reply) ??
      this.#blame(this.#compare(touched, call));
    shown.touched = 0;
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

  #checkSteps(call: Call, reply: Reply): Wrong | undefined {
    for (let at = 0; at < this.#steps.length; at++) {
      const { mask, invariant } = this.#steps[at] as StepCheck<M>;
      const noted = this.#noted[at] ?? Number.NaN;
      if (Number.isNaN(noted) || (mask & this.shown.touched) === 0) continue;
      const detail = invariant.broken(noted, this.shown, call, reply);
      if (detail !== undefined) return { kind: 'invariant', serves: invariant.id, clause: 'step', detail };
    }
    return undefined;
  }

  #compare(touched: number, call: Call): Wrong | undefined {
    const both = this.shown.shown & this.#own.shown & touched;
    for (let at = 0; at < this.#columns.length; at++) {
      if ((both & (1 << at)) === 0) continue;
      const own = this.#own.columns[at] as Int32Array;
      const shown = this.shown.columns[at] as Int32Array;
      const index = firstDifference(this.#columns[at] as ViewColumn<M>, own, shown);
      if (index >= 0) return this.#difference(at, index, call);
    }
    return undefined;
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

/** Index of the first pair of values that are not both right, or -1. */
function firstDifference<M>(column: ViewColumn<M>, own: Int32Array, shown: Int32Array): number {
  const unknown = column.unknown ?? NO_VALUE;
  const length = Math.min(own.length, shown.length);
  for (let index = 0; index < length; index++) {
    const a = own[index] as number;
    const b = shown[index] as number;
    if (a !== b && a !== unknown && !agree(column, a, b)) return index;
  }
  return -1;
}

const agree = <M>(column: ViewColumn<M>, own: number, shown: number): boolean =>
  column.agrees?.(own, shown) ?? false;
