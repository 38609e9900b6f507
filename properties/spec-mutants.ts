/** Mutants of a specification: one row of a rule left out, or one invariant. Who notices? */
import type { Args, Rule, Spec, Stateful, Value } from '../model/index.ts';
import { firstRows, type RowName, rowNames } from './tally.ts';

/** A rule without the row of that number, counted as `rowCount` does. */
export function ruleWithout<S>(rule: Rule<S, Args, Value>, row: number): Rule<S, Args, Value> {
  const may = row - rule.refuse.length;
  const accept = may - rule.may.length;
  return {
    ...rule,
    refuse: rule.refuse.filter((_, at) => at !== row),
    may: rule.may.filter((_, at) => at !== may),
    accept: rule.accept.filter((_, at) => at !== accept),
  };
}

/** The specification without one row of all rules, numbered as `rowNames` lists them. */
export function withoutRow<M, S extends Stateful>(spec: Spec<M, S>, row: number): Spec<M, S> {
  const { op } = rowNames(spec)[row] as RowName;
  const first = firstRows(spec).first.get(op) ?? 0;
  const rule = spec.rules[op] as Rule<S, Args, Value>;
  return { ...spec, rules: { ...spec.rules, [op]: ruleWithout(rule, row - first) } };
}

/** The specification without one invariant, by its number: several may share an id. */
export const withoutInvariant = <M, S extends Stateful>(spec: Spec<M, S>, at: number): Spec<M, S> => ({
  ...spec,
  invariants: spec.invariants.filter((_, each) => each !== at),
});
