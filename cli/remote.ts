/** A run on a target in another process: one script at a time, in the order of their numbers. */
import { type Machine, type RemoteTarget, SPEC } from '../model/index.ts';
import {
  believedRemote,
  type Certificate,
  type Finding,
  type Found,
  type Outcome,
  type Plan,
  Recorder,
  runRemote,
  runRemoteRepeatedly,
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
import { type Spent, Stopwatch } from './speed.ts';
import type { Smaller, Task } from './worker.ts';

/** A search goes back all the time. */
export const NO_WAY_BACK: Certificate = {
  result: 'undecided',
  states: 0,
  reason: 'a process cannot go back to an earlier state',
};

type Again = (script: Script) => Promise<Finding | undefined>;

/** Each costs a boot and a batch in another process. */
const EXECUTIONS_MAX = 2_000;
/** A target that hangs costs its whole time limit each time. */
const SHRINK_MS = 30_000;

export class RemoteRunner {
  readonly #watch = new Stopwatch();
  readonly #target: RemoteTarget<Machine>;
  readonly #session: Session;
  readonly #progress: Progress;

  constructor(session: Session, progress: Progress, target: RemoteTarget<Machine>) {
    this.#session = session;
    this.#progress = progress;
    this.#target = this.#watch.remote(target);
  }

  get spent(): Spent {
    return this.#watch.take();
  }

  /** Runs scripts until all are done, the time is over, something was found, or Ctrl-C. */
  async run(
    { seed, premise, scripts }: Task,
    plan: Plan,
    deadline: number,
    onFound: (found: Found) => void,
  ): Promise<Outcome> {
    const stepper = new Stepper(SPEC, this.#target, premise);
    const source = new Scripts(SPEC, seed, plan);
    for (let index = 0; index < scripts && !this.#session.signal.aborted; index++) {
      if (index > 0 && this.#session.now() >= deadline) break;
      const script = source.at(index);
      const finding = await unlessAborted(this.#session.signal, runRemote(stepper, this.#target, script));
      this.#progress.update(stepper.counts);
      if (finding === undefined || (premise !== undefined && finding.premise !== premise)) continue;
      const found = { index, script, finding: await this.#believed(script, finding, premise) };
      onFound(found);
      return { counts: stepper.counts, found };
    }
    return { counts: stepper.counts, found: undefined };
  }

  /** The finding, if the script shows it again; Ctrl-C leaves it as it was. */
  async #believed(script: Script, finding: Finding, premise: string | undefined): Promise<Finding> {
    const asked = believedRemote(SPEC, this.#target, script, finding, premise);
    return (await unlessAborted(this.#session.signal, asked)) ?? finding;
  }

  #again(premise: string | undefined): Again {
    const stepper = new Stepper(SPEC, this.#target, premise);
    return (script) => runRemote(stepper, this.#target, script);
  }

  #repeatedly(): Again {
    const recorder = new Recorder(SPEC, this.#target);
    return (script) => runRemoteRepeatedly(recorder, this.#target, script);
  }

  /** Shrinks for as long as that may take, and says what it has come to whenever that is smaller. */
  async shrink(
    { premise, proof }: Task,
    { script, finding }: Found,
    onSmaller: (smaller: Smaller) => void,
  ): Promise<Shrunk> {
    const again = finding.kind === 'flaky' ? this.#repeatedly() : this.#again(premise);
    const shrinking = new Shrinking(SPEC, script, finding);
    let { best } = shrinking;
    const deadline = this.#session.now() + SHRINK_MS;
    const isOver = (): boolean => {
      if (shrinking.best.script !== best.script) onSmaller(shrinking.best);
      best = shrinking.best;
      return best.executions >= EXECUTIONS_MAX || this.#session.now() >= deadline;
    };
    const shrunk = await drive(shrinking, again, this.#session, this.#progress, isOver);
    return {
      ...shrunk,
      finding: await this.#believed(shrunk.script, shrunk.finding, premise),
      ...(proof === undefined ? {} : { certificate: NO_WAY_BACK }),
    };
  }

  async find({ premise }: Task, script: Script): Promise<Finding | undefined> {
    return this.#again(premise)(script);
  }
}
