/**
 * Scripts, drawn from choices. Swarm by default: each script has some calls switched off and the others weighted,
 * from rare to dominant, because what a script leaves out decides which states it reaches as much as what it does.
 */
import type { Spec, Stateful } from '../model/index.ts';
import { type Choices, SeededChoices } from './choices.ts';
import { Draft, type Entry } from './draft.ts';
import { drawArguments, type Environment } from './draw.ts';
import { limitsOf, machineOf } from './machine.ts';
import {
  type Command,
  FORMAT,
  type Preemption,
  type Script,
  type ScriptMachine,
  START_MAPS,
} from './script.ts';
import { drawWeights, kindsOf, type Need, type Weighted, weightNow } from './weights.ts';

/** What scripts are drawn for. */
export interface Plan {
  /** Numbers and policies that every machine has. */
  readonly machine?: ScriptMachine;
  /** Calls that are made; undefined: all. */
  readonly only?: ReadonlySet<string>;
  /** No fault sites are made to fail: the target does not support it. */
  readonly noFaults?: boolean;
  /** Switch points by call: some of these calls are interrupted by other actors. */
  readonly points?: Readonly<Record<string, number>>;
}

/** Commands in a script. */
const COMMANDS_FROM = 20;
const COMMANDS_TO = 80;
/** Live results of a kind from which on making more of them becomes rarer; a script that hoards runs out of memory. */
const MANY = [2, 2, 2, 32];
/** Calls that need each other's results are followed so deep. */
const DEPTH_MAX = 8;
/** Who takes over, one after the other; each in one call, because whoever takes over goes on to its end. */
const ACTORS = ['b', 'c', 'd'];
/** Calls of an actor that takes over, at the most. */
const RACERS_MAX = 3;
/** Small enough to be the id of something. */
const GUESS_END = 4;

/** Draws one script. */
export function drawScript<M, S extends Stateful>(
  spec: Spec<M, S>,
  choices: Choices,
  machine: ScriptMachine,
  plan: Plan = {},
): Script {
  const limits = limitsOf(spec, machineOf(spec, machine));
  const writer = new Writer(spec, choices, limits, plan);
  const count = COMMANDS_FROM + choices.below(COMMANDS_TO - COMMANDS_FROM + 1);
  while (writer.commands.length < count && writer.writeNext());
  const { schedule } = writer;
  const commands = writer.commands.slice(0, count);
  return { format: FORMAT, machine, commands, ...(schedule.length === 0 ? {} : { schedule }) };
}

interface Drawn {
  readonly command: Command;
  /** What it names; of this, what is gone afterwards; and what it gives. */
  readonly used: readonly Entry[];
  readonly consumed: readonly Entry[];
  readonly result: Entry | undefined;
}

/** Writes the commands of one script. */
class Writer<M, S extends Stateful> {
  readonly commands: Command[] = [];
  readonly schedule: Preemption[] = [];
  readonly #spec: Spec<M, S>;
  readonly #choices: Choices;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #calls: readonly Weighted[];
  /** Those that may have a weight: what the script is about, and what gives things back. */
  readonly #active: readonly Weighted[];
  readonly #faulty: boolean;
  readonly #probing: boolean;
  readonly #many: number;
  readonly #points: Readonly<Record<string, number>>;
  readonly #draft = new Draft();
  /** What a call under way will give: it has no name yet, but its id can be guessed. */
  #underWay: Entry | undefined;

  constructor(spec: Spec<M, S>, choices: Choices, limits: Readonly<Record<string, number>>, plan: Plan) {
    this.#spec = spec;
    this.#choices = choices;
    this.#limits = limits;
    this.#calls = drawWeights(spec, choices, plan);
    this.#active = this.#calls.filter(({ weight, consumes }) => weight > 0 || consumes !== undefined);
    this.#faulty = plan.noFaults !== true && choices.below(2) === 0;
    this.#probing = choices.below(4) === 0;
    this.#many = MANY[choices.below(MANY.length)] ?? 2;
    this.#points = plan.points ?? {};
  }

  /** Writes the next command, after those that make what it needs. False: no call can be made at all. */
  writeNext(): boolean {
    const weights = this.#active.map((call) => weightNow(call, this.#draft, this.#many));
    for (let left = weights.length; left > 0 && weights.some((weight) => weight > 0); left--) {
      const at = this.#choices.pick(weights);
      if (this.#write(this.#active[at] as Weighted, [], 0)) return true;
      weights[at] = 0;
    }
    return false;
  }

  /** Writes a call, for things that go with those `beside`. False: something that it needs cannot be had. */
  #write(call: Weighted, beside: readonly Entry[], depth: number): boolean {
    for (const need of call.needs) if (!this.#provide(need, beside, depth)) return false;
    const drawn = this.#draw(call, beside, depth > 0);
    if (drawn === undefined) return false;
    const sites = this.#faulty && depth === 0 ? (call.shape.sites ?? []) : [];
    this.commands.push(withFault(this.#choices, drawn.command, sites));
    if (depth === 0 && this.#points[call.op] !== undefined) this.#race(call, drawn);
    for (const entry of drawn.consumed) this.#draft.remove(entry);
    if (call.shape.repeats !== undefined && this.#choices.below(4) === 0)
      for (let left = this.#choices.below(call.shape.repeats); left > 0; left--)
        this.commands.push(drawn.command);
    if (this.#probing) this.#probe(call.op);
    return true;
  }

  /** Lets another actor take over in the midst of the call just written, now and then. */
  #race({ op, shape }: Weighted, { used, result }: Drawn): void {
    const to = ACTORS[this.schedule.length];
    if (to === undefined || this.#choices.below(this.schedule.length === 0 ? 2 : 4) !== 0) return;
    const at = this.commands.length - 1;
    const command = { as: `race${this.schedule.length + 1}`, ...(this.commands[at] as Command) };
    this.commands[at] = command;
    this.schedule.push({ in: command.as, point: 1 + this.#choices.below(this.#points[op] ?? 1), to });
    const outer = this.#underWay;
    this.#underWay = result ?? outer;
    this.#writeAbout(kindsOf(shape), used);
    this.#underWay = outer;
    // Those that took over in the midst of these calls have their names already.
    for (const [index, { actor = to, ...racer }] of this.commands.entries())
      if (index > at) this.commands[index] = { ...racer, actor };
  }

  /** Writes a few calls, most of them about things of these kinds, and about those `beside` where they can be. */
  #writeAbout(kinds: readonly string[], beside: readonly Entry[]): void {
    const about = this.#calls.filter(({ shape }) => kindsOf(shape).some((kind) => kinds.includes(kind)));
    for (let left = 1 + this.#choices.below(RACERS_MAX); left > 0; left--) {
      const calls = about.length === 0 || this.#choices.below(4) === 0 ? this.#active : about;
      const weights = calls.map(({ consumes }) => (consumes === undefined ? 1 : 3));
      if (weights.length > 0) this.#write(calls[this.#choices.pick(weights)] as Weighted, beside, 0);
    }
  }

  /** Writes a probe of everything, after a call that should have made something unreachable. */
  #probe(after: string): void {
    for (const { op, shape } of this.#calls) {
      if (shape.probes?.includes(after) !== true) continue;
      const [[name, arg] = ['', undefined]] = Object.entries(shape.args);
      if (arg?.is !== 'ref') continue;
      for (const entry of this.#draft.live(arg.of)) this.commands.push({ op, [name]: entry.name });
    }
  }

  /** Sees to it that there is something of one of the kinds, whichever; now and then another one is made. */
  #provide({ kinds, staleToo }: Need, beside: readonly Entry[], depth: number): boolean {
    const first = this.#choices.below(kinds.length);
    const live = this.#draft.liveCount(kinds[first] as string);
    if (live >= this.#many || (live > 0 && this.#choices.below(8) !== 0)) return true;
    if (live === 0 && staleToo && this.#draft.has(kinds, true) && this.#choices.below(8) === 0) return true;
    for (let at = 0; at < kinds.length && depth < DEPTH_MAX; at++) {
      const kind = kinds[(first + at) % kinds.length];
      if (kind !== undefined && this.#make(kind, beside, depth)) return true;
    }
    return this.#draft.has(kinds, false);
  }

  /** Writes a call that gives something of a kind: one of those there are, or if that cannot be had another one. */
  #make(kind: string, beside: readonly Entry[], depth: number): boolean {
    const makers = this.#calls.filter(({ shape }) => shape.gives?.kind === kind);
    const first = this.#choices.below(Math.max(makers.length, 1));
    return [...makers.slice(first), ...makers.slice(0, first)].some((maker) =>
      this.#write(maker, beside, depth + 1),
    );
  }

  #draw({ op, shape }: Weighted, beside: readonly Entry[], modest: boolean): Drawn | undefined {
    const used: Entry[] = [];
    const consumed: Entry[] = [];
    const args = drawArguments(this.#choices, shape, this.#environment(used, consumed, beside, modest));
    if (args === undefined) return undefined;
    const kind = shape.gives?.kind;
    if (kind === undefined) return { command: { op, ...args }, used, consumed, result: undefined };
    for (const entry of consumed) this.#draft.remove(entry);
    const result = this.#draft.add(kind, used);
    return { command: { op, ...args, as: result.name }, used, consumed, result };
  }

  #environment(used: Entry[], consumed: Entry[], beside: readonly Entry[], modest: boolean): Environment {
    const isUser = (kind: string): boolean => this.#spec.kinds[kind]?.user === true;
    const draw = (kinds: readonly string[], consumes: boolean): Entry | undefined => {
      const wanted = { stale: kinds.filter(isUser), consumes };
      const entry = this.#draft.draw(this.#choices, kinds, [...used, ...beside], wanted);
      if (entry !== undefined) used.push(entry);
      return entry;
    };
    return {
      limits: this.#limits,
      modest,
      reference: (kinds, consumes) => {
        if (!modest && kinds.some(isUser) && this.#choices.below(64) === 0) return 99;
        const entry = draw(kinds, consumes);
        if (consumes && entry !== undefined) consumed.push(entry);
        if (entry === undefined || entry !== this.#underWay) return entry?.name;
        return isUser(entry.kind) ? this.#choices.below(GUESS_END) : undefined;
      },
      place: (kinds, offset) => {
        const entry = draw(kinds, false);
        return entry === undefined ? offset : { in: entry.name, offset };
      },
    };
  }
}

function withFault(choices: Choices, command: Command, sites: readonly string[]): Command {
  if (sites.length === 0 || choices.below(4) !== 0) return command;
  const n = choices.below(2) === 0 ? 1 : 1 + choices.below(3);
  return { ...command, fail: { [sites[choices.below(sites.length)] ?? '']: n } };
}

/**
 * Draws a machine: sizes, free policies, and who holds what from boot on.
 *
 * @throws {ScriptError} when what is fixed cannot be
 */
export function drawMachine<M, S extends Stateful>(
  spec: Spec<M, S>,
  choices: Choices,
  fixed: ScriptMachine = {},
): ScriptMachine {
  machineOf(spec, fixed);
  for (let attempt = 0; attempt < MACHINE_ATTEMPTS; attempt++) {
    const numbers: Record<string, number> = {};
    for (const [name, { drawn }] of Object.entries(spec.fields)) {
      if (drawn !== undefined) numbers[name] = drawn[choices.below(drawn.length)] ?? 0;
    }
    const policies: Record<string, string> = {};
    for (const [name, { values, free }] of Object.entries(spec.policies)) {
      if (free === true) policies[name] = values[choices.below(values.length)] ?? '';
    }
    const isHeld = START_MAPS.some((map) => (fixed[map]?.length ?? 0) > 0);
    const maps = START_MAPS.filter((map) => fixed[map] === undefined && !isHeld);
    const map = maps[choices.below(2 * maps.length)];
    const pages = Number(fixed['pages'] ?? numbers['pages'] ?? 0);
    const start = map === undefined ? {} : { [map]: crumbs(choices, pages) };
    const machine = { ...numbers, ...start, ...fixed, policies: { ...policies, ...fixed.policies } };
    if (isSound(spec, machine)) return machine;
  }
  return { ...fixed };
}

/** Single pages that somebody holds, so that little is contiguous. */
function crumbs(choices: Choices, pages: number): [number, number][] {
  const apart = 2 + choices.below(4);
  const runs: [number, number][] = [];
  for (let page = choices.below(apart); page < pages; page += 1 + choices.below(apart)) runs.push([page, 1]);
  return runs.filter(([first], index) => first !== runs[index - 1]?.[0]);
}

function isSound<M, S extends Stateful>(spec: Spec<M, S>, machine: ScriptMachine): boolean {
  try {
    machineOf(spec, machine);
    return true;
  } catch {
    return false;
  }
}

/** Scripts of one chunk share their machines, so that a target boots few of them. */
export const CHUNK_SCRIPTS = 256;
const CHUNK_MACHINES = 8;
/** Pages that they have together at the most: a large machine takes memory and time to boot. */
const CHUNK_PAGES = 2 ** 17;
/** Draws after which what is fixed is taken with defaults: it goes with nothing that is drawn. */
const MACHINE_ATTEMPTS = 100;

/** Script `index` of a seed: it depends on nothing else, so that any thread can draw it. */
export class Scripts<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #seed: number;
  readonly #plan: Plan;
  #chunk = -1;
  #machines: ScriptMachine[] = [];

  constructor(spec: Spec<M, S>, seed: number, plan: Plan = {}) {
    this.#spec = spec;
    this.#seed = seed;
    this.#plan = plan;
  }

  at(index: number): Script {
    const chunk = Math.floor(index / CHUNK_SCRIPTS);
    if (chunk !== this.#chunk) this.#drawMachines(chunk);
    const choices = new SeededChoices(this.#seed, index);
    const machine = this.#machines[choices.below(this.#machines.length)] as ScriptMachine;
    return drawScript(this.#spec, choices, machine, this.#plan);
  }

  #drawMachines(chunk: number): void {
    // Numbers of machines lie apart from those of scripts: a negative index is no script's.
    const choices = new SeededChoices(this.#seed, -1 - chunk);
    const fixed = Number(this.#plan.machine?.['pages'] ?? 1);
    const count = Math.min(Math.max(Math.floor(CHUNK_PAGES / fixed), 1), CHUNK_MACHINES);
    this.#machines = Array.from({ length: count }, () =>
      drawMachine(this.#spec, choices, this.#plan.machine),
    );
    this.#chunk = chunk;
  }
}
