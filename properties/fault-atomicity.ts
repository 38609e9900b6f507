/**
 * Fault atomicity: in every state that a script reaches, every call is tried with every fault site failing the first
 * time that it is asked, the second, and so on. The errno of a call that fails must be one that the site may cause,
 * and the target must show what it showed before, up to the slack that the specification names.
 */
import type { Call, Capability, Reply, Stateful, Target, View } from '../model/index.ts';
import { runScript } from './drive.ts';
import { FaultTrial } from './fault-trial.ts';
import type { Finding } from './finding.ts';
import type { Script } from './script.ts';
import type { Stepper } from './stepper.ts';

/** A target that says more often than this that a fault fired in one call says it always. */
const ASKED_MAX = 1000;

/** Tries all faults at all calls. The script that comes with a finding ends with the call, and names the fault. */
export function sweepFaults<M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  script: Script,
): { readonly script: Script; readonly finding: Finding } | undefined {
  const finding = run(new Trying(stepper, target, true), script);
  if (finding === undefined) return undefined;
  const { command, call } = finding;
  const last = script.commands[command];
  if (call.fail === undefined || last === undefined) return { script, finding };
  const commands = [...script.commands.slice(0, command), { ...last, fail: call.fail }];
  return { script: { ...script, commands }, finding };
}

/** Tries the fault that a command of the script names, where one does, and no others. */
export const runFaults = <M, S extends Stateful>(
  stepper: Stepper<M, S>,
  target: Target<M>,
  script: Script,
): Finding | undefined => run(new Trying(stepper, target, false), script);

/** What the specification says of the script itself is another property's business, but nothing comes after it. */
function run<M, S extends Stateful>(trying: Trying<M, S>, script: Script): Finding | undefined {
  const finding = runScript(trying.stepper, trying, script);
  return trying.finding ?? (finding?.kind === 'crash' ? finding : undefined);
}

/** A target that tries each call with faults, and goes back, before it makes it. */
class Trying<M, S extends Stateful> implements Target<M> {
  readonly stepper: Stepper<M, S>;
  finding: Finding | undefined;
  readonly #target: Target<M>;
  readonly #isSweep: boolean;
  #machine: M | undefined;
  readonly #trial: FaultTrial<M, S>;
  /** Calls since boot, for targets that cannot undo. */
  #made: Call[] = [];

  constructor(stepper: Stepper<M, S>, target: Target<M>, isSweep: boolean) {
    this.stepper = stepper;
    this.#target = target;
    this.#isSweep = isSweep;
    this.#trial = new FaultTrial(stepper.spec, target, {
      mark: () => target.undoable?.mark(),
      back: () => this.#goBack(),
      aside(act) {
        const { state } = stepper.lockstep.world;
        const saved = state.save();
        const result = act();
        state.load(saved);
        return result;
      },
    });
  }

  get name(): string {
    return this.#target.name;
  }

  get capabilities(): ReadonlySet<Capability> {
    return this.#target.capabilities;
  }

  boot(machine: M): void {
    this.#target.undoable?.attach();
    this.#target.boot(machine);
    this.#machine = machine;
    this.#made = [];
  }

  apply(call: Call): Reply {
    if (this.stepper.steps[this.stepper.at]?.own === true) this.#tryAll(call);
    if (this.finding !== undefined) throw new Error('found: what comes after does not matter');
    this.#made.push(call);
    return this.#target.apply(call);
  }

  observe(view: View): void {
    this.#target.observe(view);
  }

  #tryAll(call: Call): void {
    if (!this.#isSweep) {
      const [[site, n] = []] = Object.entries(call.fail ?? {});
      if (site !== undefined && n !== undefined) this.#try(call, site, n);
      return;
    }
    for (const site of Object.keys(this.stepper.spec.sites)) {
      for (let n = 1; n <= ASKED_MAX && this.#try(call, site, n); n++);
      if (this.finding !== undefined) return;
    }
  }

  /** Whether the fault fired, and there may be more to find. */
  #try(sent: Call, site: string, n: number): boolean {
    const { lockstep, at, call, counts } = this.stepper;
    const tried = this.#trial.run(lockstep, this.#machine as M, at, call, sent, { [site]: n });
    if (tried === 'not fired') return false;
    if (tried?.kind !== 'crash') counts.compared++;
    this.finding = tried;
    return tried === undefined;
  }

  #goBack(): void {
    const { undoable } = this.#target;
    if (undoable !== undefined) {
      undoable.undo();
      undoable.drop();
      return;
    }
    this.#target.boot(this.#machine as M);
    for (const call of this.#made) this.#target.apply(call);
  }
}
