/** Runs the script of a case again, and says what that means for the case. */
import type { Case } from '../counterexamples/index.ts';
import { type Machine, SPEC } from '../model/index.ts';
import {
  Answering,
  type Finding,
  identityOf,
  Recorder,
  runExplained,
  runFaults,
  runNoninterference,
  runRemote,
  runRemoteRepeatedly,
  runRepeatedly,
  type Script,
  Stepper,
} from '../properties/index.ts';
import { runSchedule } from '../properties/interleave.ts';
import { UsageError } from './exit.ts';
import { checkProperty } from './plan.ts';
import { withPolicy } from './script-text.ts';
import type { Opened } from './targets.ts';

/** `holds`: nothing was found. `found`: what the case says, `other`: something else. `crashed`: the target failed. */
export type Result = 'holds' | 'found' | 'other' | 'crashed';

/** The script as it is; for a verdict, with every value that the case expects something of. */
export function variants({
  property,
  expect,
  script,
}: Case): { readonly value?: string; readonly script: Script }[] {
  if (property.name !== 'verdict' || expect === undefined) return [{ script }];
  const { policy } = property;
  const known = SPEC.policies[policy]?.values ?? [];
  return known
    .filter((value) => expect[value] !== undefined)
    .map((value) => ({ value, script: withPolicy(script, policy, value) }));
}

/** Runs a script as the property of its case demands. */
export async function runOn(
  opened: Opened,
  script: Script,
  property: Case['property'],
): Promise<Finding | undefined> {
  if (property.name === 'noninterference' || property.name === 'fault') checkProperty(property.name, opened);
  const premise = property.name === 'verdict' ? property.premise : undefined;
  const stepper = new Stepper<Machine, ReturnType<typeof SPEC.boot>>(
    SPEC,
    opened.target,
    premise,
    property.name === 'duty',
  );
  if (property.name === 'nondeterminism')
    return opened.is === 'remote'
      ? runRemoteRepeatedly(new Recorder(SPEC, opened.target), opened.target, script)
      : runRepeatedly(new Recorder(SPEC, opened.target), opened.target, script);
  if (opened.is === 'remote') {
    const finding = await runRemote(stepper, opened.target, script);
    return finding && stepper.explained(finding);
  }
  const { target } = opened;
  if (property.name === 'noninterference')
    return runNoninterference(new Answering(SPEC, target), target, script, property.client);
  if (property.name === 'fault')
    return runFaults(new Stepper(SPEC, target), target, withFault(script, property));
  if (script.schedule === undefined && property.name !== 'schedule')
    return runExplained(stepper, target, script);
  if (target.concurrent === undefined)
    throw new UsageError(`${target.name} cannot interrupt calls: no schedules`);
  return runSchedule(stepper, target, script);
}

/** The command of the case gets its fault, and no other command has one. */
export function withFault(script: Script, property: Case['property']): Script {
  if (property.name !== 'fault') return script;
  const { command, site, n } = property;
  const commands = script.commands.map(({ fail, ...bare }, at) =>
    at === command ? { ...bare, fail: { [site]: n } } : bare,
  );
  return { ...script, commands };
}

/** What a finding means for the case that was replayed. */
export function resultOf({ finding: expected, property }: Case, finding: Finding | undefined): Result {
  if (finding === undefined) return 'holds';
  if (finding.kind === 'crash' && expected?.kind !== 'crash') return 'crashed';
  if (expected === undefined) return 'found';
  const premise = property.name === 'verdict' ? { premise: property.premise } : {};
  return identityOf({ call: finding.call, ...expected, ...premise }) === identityOf(finding)
    ? 'found'
    : 'other';
}
