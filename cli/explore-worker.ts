/** A thread of a search: it opens the target itself, and expands states of the rounds that it is given. */
import workerpool from 'workerpool';
import { type Machine, SPEC, type Target, type World } from '../model/index.ts';
import {
  confirmed,
  type Ended,
  type Expanded,
  Expander,
  type Explored,
  LockstepSystem,
  type Round,
  type Scope,
  wanting,
} from '../properties/index.ts';
import { UsageError } from './exit.ts';
import { openTarget, type TargetName } from './targets.ts';

/** What is searched. Plain data: it crosses from one thread to another. */
export interface ExploreTask {
  readonly target: TargetName;
  readonly scope: Scope;
  readonly premise: string | undefined;
}

/** Where a search begins. */
export interface Root extends Pick<Ended, 'renamings'> {
  readonly fingerprint: readonly [low: number, high: number];
}

interface Entered {
  readonly task: ExploreTask;
  readonly target: Target<Machine>;
  readonly system: LockstepSystem<Machine, World>;
  readonly expander: Expander;
}

let entered: Entered | undefined;

/** Gets ready for the rounds of a search. */
export async function enter(task: ExploreTask): Promise<Root> {
  entered?.system.close();
  const opened = await openTarget(task.target);
  if (opened.is === 'remote' || opened.target.undoable === undefined)
    throw new UsageError(
      `--target: ${task.target.name} cannot go back to an earlier state: it has no undoable`,
    );
  const { target } = opened;
  const system = new LockstepSystem(SPEC, target, task.scope, task.premise);
  entered = { task, target, system, expander: new Expander(system, wanting(task.premise)) };
  return { fingerprint: system.fingerprint(), renamings: system.renamings };
}

export function expand(round: Round, thread: number): Expanded {
  return present().expander.run(round, thread);
}

/** Runs what was found from boot. No round follows. */
export function confirm(ended: Ended): Explored {
  const { task, target, system } = present();
  system.close();
  return confirmed(SPEC, target, task.scope, ended, task.premise);
}

function present(): Entered {
  if (entered === undefined) throw new Error('internal error: no search was entered');
  return entered;
}

workerpool.worker({ enter, expand, confirm });
