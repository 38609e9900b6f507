/**
 * A walk along a script, call by call, forth and back. The commands after the place where one stands are what is ahead;
 * a call that is made on the way goes in between. Going back is running again from boot, which every target can.
 */
import {
  type Call,
  type Machine,
  type RemoteTarget,
  type Reply,
  SPEC,
  type Target,
  type Value,
  type World,
} from '../model/index.ts';
import { runBatch } from '../properties/drive.ts';
import {
  type Command,
  causeOf,
  type Finding,
  Moves,
  machineOf,
  type Scope,
  type Script,
  Stepper,
} from '../properties/index.ts';
import { Interleaving } from '../properties/interleave.ts';
import { limitsOf } from '../properties/machine.ts';
import { commandOf, type Named } from '../properties/record.ts';
import { UsageError } from './exit.ts';
import { allowedLines } from './step-allowed.ts';
import { type Columns, changeLines, stateLines } from './step-state.ts';
import type { Opened } from './targets.ts';

/** What one step did. */
export interface Taken {
  /** Number of the step, from 0. */
  readonly at: number;
  readonly op: string;
  /** Absent where something is given back after the script. */
  readonly command?: Command | undefined;
  /** Absent where the command was skipped. */
  readonly call?: Call;
  /** What the specification would have allowed, as lines. */
  readonly allowed: readonly string[];
  /** Absent where the target failed. */
  readonly reply?: Reply;
  /** Where calls overlap: who took the step, and the switch point that the call stopped at. */
  readonly actor?: string;
  readonly point?: number;
  /** What of the view is not as before, in lines. */
  readonly changes: readonly string[];
  readonly finding?: Finding;
}

const NOTHING = new Int32Array(0);

export class Walk {
  readonly #opened: Opened;
  readonly #stepper: Stepper<Machine, World>;
  readonly #machine: Machine;
  /** What the last answer was, and its value as the specification knows it. */
  #reply: Reply | undefined;
  #script: Script;
  #at = 0;
  #finding: Finding | undefined;
  #boot: Columns = [];
  /** Where calls overlap: how they do, the commands that have begun, and whether it was asked what is left. */
  #schedule: Interleaving<Machine, World> | undefined;
  readonly #begun = new Set<number>();
  #isEnded = false;

  /** @throws {ScriptError} when the script does not fit the specification */
  constructor(opened: Opened, script: Script, premise?: string) {
    this.#opened = opened;
    this.#script = allNamed(script);
    this.#machine = machineOf(SPEC, script.machine);
    this.#stepper = new Stepper(SPEC, opened.target, premise);
  }

  get target(): string {
    return this.#opened.target.name;
  }

  get script(): Script {
    return this.#script;
  }

  /** Steps that were made or skipped. Beyond the commands all is given back, and the last asks what is left. */
  get at(): number {
    return this.#at;
  }

  /** Number of the command that is next. */
  get next(): number {
    if (this.#schedule === undefined) return this.#at;
    let next = 0;
    while (this.#begun.has(next)) next++;
    return next;
  }

  /** Commands that are ahead. */
  get ahead(): number {
    const { length } = this.#script.commands;
    return Math.max(length - (this.#schedule === undefined ? this.#at : this.#begun.size), 0);
  }

  get overlaps(): boolean {
    return this.#schedule !== undefined;
  }

  get finding(): Finding | undefined {
    return this.#finding;
  }

  /** Nothing is ahead, not even giving back. */
  get isOver(): boolean {
    return this.#finding !== undefined || this.#isEnded;
  }

  get world(): World {
    return this.#stepper.lockstep.world;
  }

  get stepper(): Stepper<Machine, World> {
    return this.#stepper;
  }

  /** What is not as it was before the first call, in lines. */
  state(): string[] {
    const lines = stateLines(this.#boot, this.#shown(), this.#machine);
    return lines.length === 0 ? ['as at boot'] : lines;
  }

  /** Every call that may be made now. */
  moves(scope: Scope): Call[] {
    if (this.#schedule !== undefined) return [];
    const { calls = new Set(Object.keys(SPEC.calls)) } = this.#opened.target;
    const moves = new Moves(SPEC, { ...scope, overlaps: 0 }, scope.only ?? [...calls]);
    const made = this.#script.commands.slice(0, this.#at);
    const faults = made.filter(({ fail }) => fail !== undefined).length;
    const count = moves.enter(this.world, { faults, overlaps: 0 });
    const all = Array.from({ length: count }, (_, move) => moves.at(move).call);
    return all.filter((call) => calls.has(call.op) && this.#stepper.lockstep.isDue(call));
  }

  /** Why a call cannot be made here, or undefined. */
  problemOf(call: Call): string | undefined {
    if (this.#opened.target.calls?.has(call.op) === false) return `${this.target} has no ${call.op}`;
    const broken = this.#stepper.lockstep.breach(this.#stepper.at, call);
    return broken && `its caller may not make it: ${broken.clause}`;
  }

  /** The target, if it is in this process. */
  get local(): Target<Machine> | undefined {
    return this.#opened.is === 'local' ? this.#opened.target : undefined;
  }

  /** Back to boot. */
  async restart(): Promise<void> {
    const { target } = this.#opened;
    this.#at = 0;
    this.#finding = undefined;
    this.#isEnded = false;
    this.#begun.clear();
    await target.boot(this.#stepper.begin(this.#script));
    this.#schedule = this.#interleaving();
    if (this.#opened.is === 'local') this.#stepper.lockstep.refresh(this.#opened.target);
    this.#boot = this.#shown();
  }

  /** @throws {UsageError} when calls of the script overlap, and the target's cannot */
  #interleaving(): Interleaving<Machine, World> | undefined {
    if (this.#script.schedule === undefined) return undefined;
    if (this.local?.concurrent === undefined)
      throw new UsageError(`${this.target} cannot interrupt calls: no schedules`);
    return new Interleaving(this.#stepper, this.local, this.local.concurrent, this.#script);
  }

  /** Takes another script, and goes to its start. */
  async take(script: Script): Promise<void> {
    this.#script = allNamed(script);
    await this.restart();
  }

  async goTo(at: number): Promise<void> {
    if (at < this.#at) await this.restart();
    for (this.#passOver(at); this.#at < at && !this.isOver; this.#passOver(at)) await this.forward(false);
  }

  /** Puts a call between what was made and what is ahead, and makes it. */
  async insert(call: Call): Promise<Taken | undefined> {
    const at = this.#at;
    const commands = [...this.#script.commands];
    commands.splice(at, 0, named(this.#command(call), commands));
    this.#script = { ...this.#script, commands };
    await this.restart();
    await this.goTo(at);
    return this.forward();
  }

  /** Forgets what is ahead. */
  async cut(): Promise<void> {
    const at = Math.min(this.#at, this.#script.commands.length);
    this.#script = { ...this.#script, commands: this.#script.commands.slice(0, at) };
    await this.restart();
    await this.goTo(at);
  }

  /**
   * Takes the next step; undefined: there is none.
   *
   * @param isTold - whether somebody wants to know what was allowed, which takes time
   */
  async forward(isTold = true): Promise<Taken | undefined> {
    const { steps } = this.#stepper;
    this.#passOver(steps.length);
    if (this.isOver) return undefined;
    const at = this.#at++;
    if (this.#schedule !== undefined) return this.#advance(at, this.#schedule);
    if (at === steps.length) return this.#end(at, this.#stepper);
    const before = this.#shown();
    const command = this.#script.commands[at];
    const call = this.#stepper.callAt(at);
    if (call === undefined) return { at, op: steps[at]?.op ?? '', command, allowed: [], changes: [] };
    const allowed = isTold ? allowedLines(this.#stepper, this.#stepper.call) : [];
    this.#reply = undefined;
    this.#finding = await this.#make(at, call);
    return {
      at,
      op: call.op,
      command,
      call,
      allowed,
      ...(this.#reply === undefined ? {} : { reply: this.#reply }),
      changes: changeLines(before, this.#shown(), this.#machine),
      ...(this.#finding === undefined ? {} : { finding: this.#finding }),
    };
  }

  /** What was given back already, or was never made, is not given back: nobody wants to hear of it. */
  #passOver(to: number): void {
    const { steps } = this.#stepper;
    const isNothing = (at: number): boolean =>
      steps[at]?.own === false && this.#stepper.callAt(at) === undefined;
    if (this.#schedule !== undefined) return;
    while (this.#finding === undefined && this.#at < to && isNothing(this.#at)) this.#at++;
  }

  /** One actor goes on with its call, or begins the next. */
  #advance(at: number, schedule: Interleaving<Machine, World>): Taken {
    const before = this.#shown();
    while (!schedule.isOver) {
      schedule.step();
      const { last, finding } = schedule;
      this.#finding = finding;
      if (last === undefined) continue;
      this.#begun.add(last.at);
      return {
        at,
        op: last.call.op,
        command: this.#script.commands[last.at],
        call: last.call,
        actor: last.actor,
        allowed: [],
        ...('point' in last.answer ? { point: last.answer.point } : { reply: last.answer }),
        changes: changeLines(before, this.#shown(), this.#machine),
        ...(finding === undefined ? {} : { finding }),
      };
    }
    return this.#end(at, schedule);
  }

  #end(at: number, run: { end(): Finding | undefined }): Taken {
    this.#isEnded = true;
    this.#finding = run.end();
    return {
      at,
      op: 'end',
      allowed: [],
      changes: [],
      ...(this.#finding === undefined ? {} : { finding: this.#finding }),
    };
  }

  async #make(at: number, call: Call): Promise<Finding | undefined> {
    const opened = this.#opened;
    try {
      if (opened.is === 'remote')
        return await runBatch(this.#stepper, this.#heard(opened.target), this.#machine, [at]);
      this.#reply = opened.target.apply(call);
    } catch (cause) {
      return this.#stepper.crash(causeOf(cause));
    }
    return this.#stepper.give(this.#reply, opened.target);
  }

  /** The target elsewhere, whose answer is kept. */
  #heard(target: RemoteTarget<Machine>): RemoteTarget<Machine> {
    return {
      name: target.name,
      capabilities: target.capabilities,
      ...(target.calls === undefined ? {} : { calls: target.calls }),
      boot: (machine) => target.boot(machine),
      batch: async (calls) => {
        const replies = await target.batch(calls);
        const [reply] = replies;
        if (reply !== undefined && reply !== 'skipped') this.#reply = reply;
        return replies;
      },
      close: () => target.close(),
    };
  }

  /** What the target shows; for what it does not show, what the specification knows. Copies. */
  #shown(): Columns {
    const { world, shown } = this.#stepper.lockstep;
    const own = SPEC.columns(world);
    return SPEC.view.map((_, at) => {
      const isShown = (shown.shown & (1 << at)) !== 0;
      return ((isShown ? shown.columns[at] : own[at]) ?? NOTHING).slice();
    });
  }

  #command(call: Call): Command {
    const { steps, slots } = this.#stepper;
    const results = this.#script.commands.slice(0, this.#at).flatMap(({ as: name }, at): Named[] => {
      const value: Value | undefined = slots.values[at];
      const kind = steps[at]?.shape.gives?.kind;
      if (name === undefined || kind === undefined || value === undefined) return [];
      return slots.consumed[at] === true && SPEC.kinds[kind]?.user !== true ? [] : [{ name, kind, value }];
    });
    return commandOf(SPEC, limitsOf(SPEC, this.#machine), results, call);
  }
}

/** The script with a name for every result, so that calls that are put in may refer to it. */
function allNamed(script: Script): Script {
  const commands: Command[] = [];
  for (const command of script.commands) {
    commands.push(command.as === undefined ? named(command, [...script.commands, ...commands]) : command);
  }
  return { ...script, commands };
}

/** The command with a name that none of the others has, if it has a result. */
function named(command: Command, others: readonly Command[]): Command {
  const kind = SPEC.calls[command.op]?.gives?.kind;
  if (kind === undefined) return command;
  const taken = new Set(others.map(({ as }) => as));
  let number = 1;
  while (taken.has(`${kind}${number}`)) number++;
  return { ...command, as: `${kind}${number}` };
}
