/** A run on a target in another process: one script at a time, in the order of their numbers. */
import { type Machine, type RemoteTarget, SPEC } from '../model/index.ts';
import {
  believedRemote,
  candidates,
  type Finding,
  type Found,
  isSameFinding,
  type Outcome,
  type Plan,
  Recorder,
  runRemote,
  runRemoteRepeatedly,
  type Script,
  Scripts,
  type Shrunk,
  Stepper,
} from '../properties/index.ts';
import { unlessAborted } from './abort.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import { type Spent, Stopwatch } from './speed.ts';
import type { Smaller, Task } from './worker.ts';

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
    return (script) => unlessAborted(this.#session.signal, runRemote(stepper, this.#target, script));
  }

  #repeatedly(): Again {
    const recorder = new Recorder(SPEC, this.#target);
    return (script) =>
      unlessAborted(this.#session.signal, runRemoteRepeatedly(recorder, this.#target, script));
  }

  /** Tries what every pass offers, from the first again after each success. */
  async shrink(
    { premise }: Task,
    { script, finding }: Found,
    onSmaller: (smaller: Smaller) => void,
  ): Promise<Shrunk | undefined> {
    const again = finding.kind === 'flaky' ? this.#repeatedly() : this.#again(premise);
    let best: { readonly script: Script; readonly finding: Finding } = { script, finding };
    let executions = 0;
    let next: Script | undefined = script;
    const deadline = this.#session.now() + SHRINK_MS;
    const isOver = (): boolean =>
      executions >= EXECUTIONS_MAX || this.#session.signal.aborted || this.#session.now() >= deadline;
    while (next !== undefined) {
      const from: Script = next;
      next = undefined;
      this.#progress.say(`shrinking, ${from.commands.length} commands are left`);
      for (const { script: candidate } of candidates(from, SPEC)) {
        if (isOver()) break;
        executions++;
        const found = await again(candidate);
        if (found === undefined || !isSameFinding(found, finding)) continue;
        best = { script: candidate, finding: found };
        onSmaller(best);
        next = candidate;
        break;
      }
    }
    const shown = await this.#believed(best.script, best.finding, premise);
    return { script: best.script, finding: shown, executions };
  }

  async find({ premise }: Task, script: Script): Promise<Finding | undefined> {
    return this.#again(premise)(script);
  }
}
