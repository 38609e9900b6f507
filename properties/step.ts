/** One command of a script, ready to run: where its arguments come from, and how they get their values. */
import type { Args, CallShape, Value } from '../model/index.ts';
import type { Faults } from './script.ts';

/** A reference: which command's result, which field of it. `unit`: the field counts in units of so many bytes. */
export interface SlotField {
  readonly slot: number;
  readonly field: string;
}

/** Where the value of an argument comes from. */
export type Plan =
  /** `exact` is the text of a literal of 2^53 or more, of which `value` is the nearest double. */
  | { readonly is: 'literal'; readonly value: Args[string]; readonly exact?: string }
  | ({ readonly is: 'slot'; readonly user: boolean; readonly consumes: boolean } & SlotField)
  | { readonly is: 'slots'; readonly list: readonly SlotField[] }
  | ({
      readonly is: 'place';
      readonly unit: number;
      readonly offset: number;
      readonly user: boolean;
    } & SlotField);

/** One command, ready to run. */
export interface Step {
  readonly op: string;
  readonly shape: CallShape;
  readonly names: readonly string[];
  readonly plans: readonly Plan[];
  /** The arguments, when none refers to a result. */
  readonly fixed: Args | undefined;
  readonly actor: string;
  readonly fail: Faults | undefined;
  /** False for the commands that give everything back after the script. */
  readonly own: boolean;
}

/** The results so far, by slot, and which of them were consumed. */
export interface Slots {
  readonly values: (Value | undefined)[];
  readonly consumed: boolean[];
}

/** The arguments of a step with their values, or undefined: a result is missing, and the step is skipped. */
export function resolve(step: Step, { values, consumed }: Slots): Args | undefined {
  if (step.fixed !== undefined) return step.fixed;
  const args: Record<string, Args[string]> = {};
  for (let at = 0; at < step.plans.length; at++) {
    const value = resolvePlan(step.plans[at] as Plan, values, consumed);
    if (value === undefined) return undefined;
    args[step.names[at] as string] = value;
  }
  return args;
}

function resolvePlan(
  plan: Plan,
  values: readonly (Value | undefined)[],
  consumed: readonly boolean[],
): Args[string] | undefined {
  switch (plan.is) {
    case 'literal':
      return plan.value;
    case 'slot':
      if (consumed[plan.slot] === true && !plan.user) return undefined;
      return values[plan.slot]?.[plan.field];
    case 'place': {
      const base = values[plan.slot]?.[plan.field];
      if (base === undefined || (consumed[plan.slot] === true && !plan.user)) return undefined;
      return (base as number) * plan.unit + plan.offset;
    }
    case 'slots': {
      const list = plan.list.map(({ slot, field }) =>
        consumed[slot] === true ? undefined : values[slot]?.[field],
      );
      return list.includes(undefined) ? undefined : (list as number[]);
    }
  }
}

/** Marks the results that a successful step consumed. */
export function consume(step: Step, { consumed }: Slots): void {
  for (const plan of step.plans) if (plan.is === 'slot' && plan.consumes) consumed[plan.slot] = true;
}
