/** Steps as a remote target gets them: it keeps results in slots, and is told which. */
import type { SlotCall } from '../model/index.ts';
import type { Plan, Step } from './step.ts';

/** The step as a remote target gets it: `{ "slot": n }` for a result, `{ "slot": n, "offset": m }` for a place. */
export function slotCall(step: Step, into: number): SlotCall {
  const args = step.plans.map((plan, at): [string, unknown] => [step.names[at] as string, wire(plan)]);
  const call = { op: step.op, args: Object.fromEntries(args) };
  return {
    ...call,
    ...(step.shape.gives?.kind === undefined ? {} : { into }),
    ...(step.fail === undefined ? {} : { fail: step.fail }),
  };
}

function wire(plan: Plan): unknown {
  switch (plan.is) {
    case 'literal':
      return plan.exact ?? plan.value;
    case 'slot':
      return { slot: plan.slot, field: plan.field, ...flags(plan) };
    case 'place':
      return { slot: plan.slot, field: plan.field, unit: plan.unit, offset: plan.offset, ...flags(plan) };
    case 'slots':
      return plan.list.map(({ slot, field }) => ({ slot, field }));
  }
}

/** What the adapter does with the slot: empty it when the call succeeds; use it even when it was emptied before. */
const flags = ({
  user,
  consumes,
}: {
  readonly user: boolean;
  readonly consumes?: boolean;
}): Record<string, true> => ({
  ...(consumes === true ? { consumes: true } : {}),
  ...(user ? { user: true } : {}),
});
