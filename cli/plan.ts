/** What scripts are drawn for, given what was asked for and what a target is able to do. */
import { SPEC } from '../model/index.ts';
import type { Plan } from '../properties/index.ts';
import type { RunOptions } from './options.ts';

export function planFor(
  options: Pick<RunOptions, 'machine' | 'only'>,
  target: { readonly capabilities: ReadonlySet<string>; readonly calls?: ReadonlySet<string> },
): Plan {
  const wanted = options.only ?? Object.keys(SPEC.calls);
  const only = new Set(wanted.filter((op) => target.calls?.has(op) !== false));
  return { machine: options.machine, only, noFaults: !target.capabilities.has('faults') };
}
