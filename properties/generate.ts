/**
 * Scripts, drawn from choices. Swarm by default: each script has some calls switched off and the others weighted,
 * from rare to dominant, because what a script leaves out decides which states it reaches as much as what it does.
 */
import type { ArgShape, CallShape, Spec, Stateful } from '../model/index.ts';
import { type Choices, SeededChoices } from './choices.ts';
import { Draft, type Entry } from './draft.ts';
import { drawArguments, type Environment } from './draw.ts';
import { limitsOf, machineOf } from './machine.ts';
import { type Command, FORMAT, type Script, type ScriptMachine, START_MAPS } from './script.ts';

/** What scripts are drawn for. */
export interface Plan {
  /** Numbers and policies that every machine has. */
  readonly machine?: ScriptMachine;
  /** Calls that are made; undefined: all. */
  readonly only?: ReadonlySet<string>;
  /** No fault sites are made to fail: the target does not support it. */
  readonly noFaults?: boolean;
}

/** Commands in a script. */
const COMMANDS_FROM = 20;
const COMMANDS_TO = 80;
/** Live results of a kind from which on making more of them becomes rarer. */
const MANY = 2;
/** Weights are multiples of this, so that they can be divided. */
const WEIGHT_UNIT = 16;

/** Draws one script. */
export function drawScript<M, S extends Stateful>(
  spec: Spec<M, S>,
  choices: Choices,
  machine: ScriptMachine,
  plan: Plan = {},
): Script {
  const limits = limitsOf(spec, machineOf(spec, machine));
  const weights = drawWeights(spec, choices, plan);
  const faulty = plan.noFaults !== true && choices.below(2) === 0;
  const count = COMMANDS_FROM + choices.below(COMMANDS_TO - COMMANDS_FROM + 1);
  const draft = new Draft();
  const commands: Command[] = [];
  while (commands.length < count) {
    const at = drawCall(choices, weights, draft);
    if (at < 0) break;
    const command = drawCommand(spec, choices, weights[at] as Weighted, draft, limits);
    if (command === undefined) continue;
    const sites = faulty ? (spec.calls[command.op]?.sites ?? []) : [];
    commands.push(withFault(choices, command, sites));
  }
  return { format: FORMAT, machine, commands };
}

interface Weighted {
  readonly op: string;
  readonly shape: CallShape;
  readonly weight: number;
  /** Kinds that its references need, and whether a result that is gone will do. */
  readonly needs: readonly { readonly kinds: readonly string[]; readonly staleToo: boolean }[];
  /** Kind of what it consumes. */
  readonly consumes: string | undefined;
}

function drawWeights<M, S extends Stateful>(spec: Spec<M, S>, choices: Choices, { only }: Plan): Weighted[] {
  const weighted: Weighted[] = [];
  for (const [op, shape] of Object.entries(spec.calls)) {
    if (only !== undefined && !only.has(op)) continue;
    const needs = Object.values(shape.args)
      .filter(needsResult)
      .map(({ of }) => ({ kinds: of, staleToo: isUserKind(spec, of) }));
    // What makes something out of nothing is never off: the rest of the script would have nothing to work with.
    const weight = [0, 1, 2, 4, 8][choices.below(5)] ?? 0;
    const consumed = Object.values(shape.args).find((arg) => arg.is === 'ref' && arg.consumes === true);
    const consumes = consumed !== undefined && 'of' in consumed ? consumed.of[0] : undefined;
    weighted.push({ op, shape, needs, consumes, weight: needs.length === 0 ? Math.max(weight, 1) : weight });
  }
  return weighted;
}

type Needing = Extract<ArgShape, { readonly is: 'ref' | 'refs' | 'address' }>;

/** Nothing can be drawn for the argument without a result of an earlier command. */
const needsResult = (arg: ArgShape): arg is Needing =>
  arg.is === 'ref' || arg.is === 'refs' || (arg.is === 'address' && arg.wild === undefined);

const isUserKind = <M, S extends Stateful>(spec: Spec<M, S>, kinds: readonly string[]): boolean =>
  kinds.some((kind) => spec.kinds[kind]?.user === true);

/** Index of the call to make next, or -1: none can be made. */
function drawCall(choices: Choices, weights: readonly Weighted[], draft: Draft): number {
  let total = 0;
  const scaled = weights.map((weighted) => {
    const now = weightNow(weighted, draft);
    total += now;
    return now;
  });
  return total === 0 ? -1 : choices.pick(scaled);
}

/**
 * What needs much is made more often, or it would hardly ever be; what there is much of is hardly made and given back
 * often, or memory and ids would soon be gone for good; calls that can only name something gone are rare.
 */
function weightNow({ weight, needs, shape, consumes }: Weighted, draft: Draft): number {
  if (weight === 0) return 0;
  let now = weight * WEIGHT_UNIT * (1 + needs.length);
  for (const { kinds, staleToo } of needs) {
    if (draft.has(kinds, false)) continue;
    if (!staleToo || !draft.has(kinds, true)) return 0;
    now /= 8;
  }
  const kind = shape.gives?.kind;
  if (kind !== undefined && draft.liveCount(kind) >= MANY) now /= 32;
  if (consumes !== undefined) now *= draft.liveCount(consumes) < MANY ? 1 / 8 : 2;
  return Math.ceil(now);
}

function drawCommand<M, S extends Stateful>(
  spec: Spec<M, S>,
  choices: Choices,
  { op, shape }: Weighted,
  draft: Draft,
  limits: Readonly<Record<string, number>>,
): Command | undefined {
  const used: Entry[] = [];
  const consumed: Entry[] = [];
  const isUser = (kind: string): boolean => spec.kinds[kind]?.user === true;
  const environment: Environment = {
    limits,
    reference(kinds, consumes) {
      if (kinds.some(isUser) && choices.below(64) === 0) return 99;
      const entry = draft.draw(choices, kinds, used, { stale: kinds.filter(isUser), consumes });
      if (entry === undefined) return undefined;
      used.push(entry);
      if (consumes) consumed.push(entry);
      return entry.name;
    },
    place(kinds, offset) {
      const entry = draft.draw(choices, kinds, used, { stale: kinds.filter(isUser), consumes: false });
      if (entry === undefined) return offset;
      used.push(entry);
      return { in: entry.name, offset };
    },
  };
  const args = drawArguments(choices, shape, environment);
  if (args === undefined) return undefined;
  for (const entry of consumed) draft.remove(entry);
  const kind = shape.gives?.kind;
  return kind === undefined ? { op, ...args } : { op, ...args, as: draft.add(kind, used).name };
}

function withFault(choices: Choices, command: Command, sites: readonly string[]): Command {
  if (sites.length === 0 || choices.below(8) !== 0) return command;
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
    const maps = START_MAPS.filter((map) => fixed[map] === undefined);
    const map = maps[choices.below(maps.length + 1)];
    const pages = Number(fixed['pages'] ?? numbers['pages'] ?? 0);
    const start = map === undefined ? {} : { [map]: crumbs(choices, pages) };
    const machine = { ...numbers, ...start, ...fixed, policies: { ...policies, ...fixed.policies } };
    if (isSound(spec, machine)) return machine;
  }
  return fixed;
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
    this.#machines = Array.from({ length: CHUNK_MACHINES }, () =>
      drawMachine(this.#spec, choices, this.#plan.machine),
    );
    this.#chunk = chunk;
  }
}
