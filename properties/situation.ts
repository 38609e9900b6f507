/** The shortest script that meets a situation: a label is shrunk as a finding is. */
import type { Spec, Stateful, Target } from '../model/index.ts';
import type { Finding } from './finding.ts';
import type { Script } from './script.ts';
import { shrink } from './shrink/shrink.ts';
import { Stepper } from './stepper.ts';

/** A script that meets the label called `name`, made as small as it goes; `script` itself if it does not meet it. */
export function shortestWith<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  name: string,
  script: Script,
): Script {
  const stepper = new Stepper(spec, target);
  const meets = (candidate: Script): Finding | undefined => meeting(stepper, target, name, candidate);
  const found = meets(script);
  return found === undefined ? script : shrink(spec, script, found, meets).script;
}

/** The first command of a script at which the label holds, as a finding. */
function meeting<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  name: string,
  script: Script,
): Finding | undefined {
  const count = (): number => stepper.counts.labels[name]?.count ?? 0;
  const before = count();
  target.boot(stepper.begin(script));
  stepper.lockstep.refresh(target);
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    const wrong = stepper.give(target.apply(call), target);
    if (count() > before)
      return {
        kind: 'reply',
        command: stepper.at,
        call,
        serves: 'label',
        clause: name,
        layer: '',
        detail: name,
      };
    if (wrong !== undefined) return undefined;
  }
  return undefined;
}
