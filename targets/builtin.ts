import type { Config } from '../impl/config.ts';
import { ERRNO_NAMES } from '../impl/errno.ts';
import { type ArmedFaults, FAULT_SITES } from '../impl/faults.ts';
import type { Journal } from '../impl/journal.ts';
import { Kernel } from '../impl/kernel.ts';
import type { Steps } from '../impl/steps.ts';
import type { Machine } from '../model/machine.ts';
import type {
  Call,
  Capability,
  Concurrent,
  Reply,
  Suspended,
  Target,
  Undoable,
  Value,
  View,
} from '../model/target.ts';
import { BUILTIN_CALLS } from './builtin-calls.ts';
import { BUILTIN_STEPS, type Interruptible } from './builtin-steps.ts';
import { renamable } from './builtin-symmetry.ts';
import { BuiltinView } from './builtin-view.ts';

/** How a variant of the built-in target differs. */
export interface BuiltinOptions {
  /** Its name, `builtin` without one. */
  readonly name?: string;
  /** Changes a kernel that has just been made, before its first call: how a bug is put in. */
  readonly patch?: (kernel: Kernel) => void;
}

/** What a call left behind when it was interrupted. */
interface Interrupted {
  readonly call: Call;
  readonly steps: Steps;
  readonly faults: ArmedFaults;
}

/** A kernel with what shows it. */
interface Booted {
  readonly kernel: Kernel;
  readonly shown: BuiltinView;
}

type Run = (kernel: Kernel, args: Call['args']) => Value | number;

const CAPABILITIES: ReadonlySet<Capability> = new Set(['page-numbers', 'faults'] as const);

/** The calls by name. Whoever sends a call has checked its arguments against the table of calls. */
const RUNS = BUILTIN_CALLS as unknown as Readonly<Record<string, Run | undefined>>;

/** Those that can be interrupted. */
const STEPS = BUILTIN_STEPS as unknown as Readonly<
  Record<string, Interruptible<Call['args'], Value> | undefined>
>;
const POINTS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.keys(BUILTIN_STEPS).map((op) => [op, 1]),
);

/** The built-in implementation as a target. */
export function builtin(options: BuiltinOptions = {}): Builtin {
  return new Builtin(options);
}

/** Adapts `impl/`, as anybody would adapt their own code. */
export class Builtin implements Target<Machine> {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability> = CAPABILITIES;
  readonly calls: ReadonlySet<string> = new Set(Object.keys(BUILTIN_CALLS));
  readonly concurrent: Concurrent;
  readonly undoable: Undoable;
  private readonly patch: (kernel: Kernel) => void;
  private readonly interrupted = new Map<string, Interrupted>();
  /** One kernel a machine: scripts that share a machine only reset it. */
  private readonly kernels = new WeakMap<Machine, Booted>();
  private booted: Kernel | undefined;
  private shown: BuiltinView | undefined;
  private logs = false;

  constructor({ name = 'builtin', patch = () => {} }: BuiltinOptions) {
    this.name = name;
    this.patch = patch;
    this.concurrent = {
      points: POINTS,
      start: (actor, call) => this.start(actor, call),
      resume: (actor) => this.resume(actor),
    };
    this.undoable = {
      attach: () => this.attach(),
      mark: () => this.journal.mark(),
      undo: () => this.journal.undo(),
      drop: () => this.journal.drop(),
      fingerprint: () => [this.journal.low, this.journal.high],
      renamable: renamable(() => this.kernel.store),
    };
  }

  /** The kernel that runs. @throws Error before the first boot */
  get kernel(): Kernel {
    if (this.booted === undefined) throw new Error(`${this.name} was not booted`);
    return this.booted;
  }

  boot(machine: Machine): void {
    this.interrupted.clear();
    const known = this.kernels.get(machine) ?? this.build(machine);
    this.booted = known.kernel;
    this.shown = known.shown;
    known.kernel.reset();
    if (this.logs) known.kernel.store.attachJournal();
  }

  apply({ op, args, fail }: Call): Reply {
    const run = RUNS[op];
    if (run === undefined) throw new Error(`${this.name} does not know ${op}`);
    if (fail === undefined) this.kernel.faults.disarm();
    else this.arm(fail);
    return this.replyTo(run(this.kernel, args));
  }

  observe(view: View): void {
    this.shown?.refresh(view);
  }

  private get journal(): Journal {
    return this.kernel.store.attachJournal();
  }

  private build(machine: Machine): Booted {
    const config = configOf(machine);
    const kernel = new Kernel(config);
    const made = { kernel, shown: new BuiltinView(kernel, config) };
    this.patch(kernel);
    this.kernels.set(machine, made);
    return made;
  }

  private attach(): void {
    this.logs = true;
    if (this.booted !== undefined) this.journal.heard = undefined;
  }

  private arm(fail: Readonly<Record<string, number>>): void {
    const { faults } = this.kernel;
    faults.disarm();
    for (const [site, n] of Object.entries(fail)) {
      const number = FAULT_SITES.indexOf(site as (typeof FAULT_SITES)[number]);
      if (number >= 0) faults.arm(number, n);
    }
  }

  private replyTo(result: Value | number): Reply {
    const reply =
      typeof result === 'number' ? { errno: ERRNO_NAMES[-result] ?? `${result}` } : { ok: result };
    const { fired } = this.kernel.faults;
    return fired === 0
      ? reply
      : { ...reply, fired: FAULT_SITES.filter((_, site) => (fired & (1 << site)) !== 0) };
  }

  private start(actor: string, call: Call): Reply | Suspended {
    const interruptible = STEPS[call.op];
    if (interruptible === undefined) return this.apply(call);
    this.arm(call.fail ?? {});
    return this.advance(actor, call, interruptible.steps(this.kernel, call.args));
  }

  private resume(actor: string): Reply | Suspended {
    const interrupted = this.interrupted.get(actor);
    if (interrupted === undefined) throw new Error(`${actor} has no call to go on with`);
    this.interrupted.delete(actor);
    this.kernel.faults.load(interrupted.faults);
    return this.advance(actor, interrupted.call, interrupted.steps);
  }

  private advance(actor: string, call: Call, steps: Steps): Reply | Suspended {
    const step = steps.next();
    if (step.done === true) {
      const interruptible = STEPS[call.op] as Interruptible<Call['args'], Value>;
      return this.replyTo(interruptible.replyOf(step.value, this.kernel, call.args));
    }
    this.interrupted.set(actor, { call, steps, faults: this.kernel.faults.save() });
    return { point: step.value };
  }
}

/** The machine as `impl/` wants it. Policies were checked: each has one of the values that the table gives it. */
function configOf(machine: Machine): Config {
  return { ...machine, policies: machine.policies as Config['policies'] };
}
