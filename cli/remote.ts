/** A run on a target in another process: one script at a time, in the order of their numbers. */
import { type Machine, type RemoteTarget, SPEC } from '../model/index.ts';
import {
  type Finding,
  type Found,
  type Outcome,
  type Plan,
  runRemote,
  type Script,
  Scripts,
  Shrinking,
  type Shrunk,
  Stepper,
} from '../properties/index.ts';
import { unlessAborted } from './abort.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import { drive } from './shrinking.ts';
import type { Task } from './worker.ts';

/** Each costs a boot and a batch in another process. */
const EXECUTIONS_MAX = 2_000;
/** A target that hangs costs its whole time limit each time. */
const SHRINK_MS = 30_000;

export class RemoteRunner {
  readonly #target: RemoteTarget<Machine>;
  readonly #session: Session;
  readonly #progress: Progress;

  constructor(session: Session, progress: Progress, target: RemoteTarget<Machine>) {
    this.#session = session;
    this.#progress = progress;
    this.#target = target;
  }

  /** Runs scripts until all are done, the time is over, something was found, or Ctrl-C. */
  async run({ seed, premise, scripts }: Task, plan: Plan, deadline: number): Promise<Outcome> {
    const stepper = new Stepper(SPEC, this.#target, premise);
    const source = new Scripts(SPEC, seed, plan);
    for (let index = 0; index < scripts && !this.#session.signal.aborted; index++) {
      if (index > 0 && this.#session.now() >= deadline) break;
      const script = source.at(index);
      const finding = await unlessAborted(this.#session.signal, runRemote(stepper, this.#target, script));
      this.#progress.update(stepper.counts);
      if (finding === undefined || (premise !== undefined && finding.premise !== premise)) continue;
      return { counts: stepper.counts, found: { index, script, finding } };
    }
    return { counts: stepper.counts, found: undefined };
  }

  /** Shrinks for as long as that may take. */
  async shrink({ premise }: Task, { script, finding }: Found): Promise<Shrunk | undefined> {
    const stepper = new Stepper(SPEC, this.#target, premise);
    const shrinking = new Shrinking(SPEC, script, finding);
    const deadline = this.#session.now() + SHRINK_MS;
    const isOver = (): boolean =>
      shrinking.best.executions >= EXECUTIONS_MAX || this.#session.now() >= deadline;
    const run = (candidate: Script): Promise<Finding | undefined> =>
      runRemote(stepper, this.#target, candidate);
    return drive(shrinking, run, this.#session, this.#progress, isOver);
  }

  async find({ premise }: Task, script: Script): Promise<Finding | undefined> {
    const stepper = new Stepper(SPEC, this.#target, premise);
    return unlessAborted(this.#session.signal, runRemote(stepper, this.#target, script));
  }
}
