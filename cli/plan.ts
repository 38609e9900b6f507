/** What scripts are drawn for, given what was asked for and what a target is able to do. */
import { SPEC } from '../model/index.ts';
import { type Plan, type PropertyName, planOf } from '../properties/index.ts';
import { UsageError } from './exit.ts';
import type { RunOptions } from './options.ts';
import type { Opened } from './targets.ts';

export function planFor(
  options: Pick<RunOptions, 'machine' | 'only'>,
  target: { readonly capabilities: ReadonlySet<string>; readonly calls?: ReadonlySet<string> },
): Plan {
  const wanted = options.only ?? Object.keys(SPEC.calls);
  const only = new Set(wanted.filter((op) => target.calls?.has(op) !== false));
  return { machine: options.machine, only, noFaults: !target.capabilities.has('faults') };
}

/** The same options with the machine and the calls to which the property narrows them. */
export function narrowed(options: RunOptions): RunOptions {
  const { property, machine, only } = options;
  const plan = planOf(property, SPEC, { machine, ...(only === undefined ? {} : { only: new Set(only) }) });
  return {
    ...options,
    machine: plan.machine ?? {},
    only: plan.only === undefined ? undefined : [...plan.only],
  };
}

/** @throws {UsageError} when the property cannot be asked of the target */
export function checkProperty(property: PropertyName, { is, target }: Opened): void {
  if (property === 'lockstep') return;
  if (is === 'remote')
    throw new UsageError(`--property ${property}: ${target.name}: only for targets in this process`);
  if (property === 'schedule' && target.concurrent?.points === undefined)
    throw new UsageError(`--property schedule: ${target.name} has no calls with switch points`);
  if (property === 'fault' && !target.capabilities.has('faults'))
    throw new UsageError(`--property fault: ${target.name} has no fault sites`);
}
