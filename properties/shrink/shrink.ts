/** Makes a failing script smaller for as long as the same finding remains. */
import type { Spec, Stateful } from '../../model/index.ts';
import type { Certificate } from '../explore/certify.ts';
import { type Finding, isSameFinding } from '../finding.ts';
import type { Script, ScriptMachine } from '../script.ts';
import { leastArguments, smallerArguments } from './arguments.ts';
import { removePairs, removeRuns, truncate } from './commands.ts';
import { fewerFaults, fewerPreemptions } from './extras.ts';
import { defaults, fewerOccupied, fewPages, smallerMachine } from './machine.ts';
import { isSmaller, type Measure, measure } from './measure.ts';
import { renamed } from './names.ts';
import { otherKind } from './other-kind.ts';
import { type Pass, without } from './pass.ts';
import { redistribute } from './redistribute.ts';
import { repoint } from './repoint.ts';
import { shortage } from './shortage.ts';
import { slice } from './slice.ts';
import { substitute } from './substitute.ts';

/** In the order in which they are tried: what removes most comes first. */
export const PASSES: readonly Pass[] = [
  slice,
  truncate,
  removeRuns,
  repoint,
  removePairs,
  fewerPreemptions,
  fewerFaults,
  shortage,
  redistribute,
  substitute,
  otherKind,
  leastArguments,
  smallerArguments,
  defaults,
  fewPages,
  smallerMachine,
  fewerOccupied,
];

export interface Shrunk {
  readonly script: Script;
  readonly finding: Finding;
  /** Scripts that were run on the way. */
  readonly executions: number;
  /** Whether it is the shortest, where that was asked. */
  readonly certificate?: Certificate;
}

/** Executions after which shrinking stops where it is. */
export const EXECUTIONS_MAX = 20_000;

/**
 * Shrinks to a fixpoint of all passes.
 *
 * @param run - runs a script from boot and returns what it finds
 */
export function shrink<M, S extends Stateful>(
  spec: Spec<M, S>,
  script: Script,
  finding: Finding,
  run: (script: Script) => Finding | undefined,
  passes: readonly Pass[] = PASSES,
): Shrunk {
  const shrinking = new Shrinking(spec, script, finding, passes);
  for (let next = shrinking.next(); next !== undefined; next = shrinking.next()) shrinking.give(run(next));
  return shrinking.best;
}

/**
 * Shrinking as a stepper: `next` gives a script, `give` takes what it shows. Whoever drives it may run the
 * scripts wherever they like, and stop at any time.
 *
 * The contract: what is kept shows the same finding and is smaller in the order of {@link measure}, no
 * script is run twice, and at the end no candidate of any pass is left that does.
 */
export class Shrinking<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #finding: Finding;
  readonly #passes: readonly Pass[];
  readonly #search: Iterator<Script, void, void>;
  readonly #tried = new Set<string>();
  readonly #machines = new Map<string, ScriptMachine>();
  #best: Script;
  #size: Measure;
  #found: Finding;
  #asked: Script | undefined;
  #executions = 0;
  #improved = false;

  constructor(spec: Spec<M, S>, script: Script, finding: Finding, passes: readonly Pass[] = PASSES) {
    this.#spec = spec;
    this.#passes = passes;
    this.#finding = finding;
    this.#found = finding;
    this.#best = cut(script, finding, spec);
    this.#size = measure(this.#best, spec);
    this.#search = this.#candidates();
  }

  /** The smallest script so far, and what it shows. */
  get best(): Shrunk {
    return { script: this.#best, finding: this.#found, executions: this.#executions };
  }

  /** The next script to run, or undefined: nothing smaller is left to try. */
  next(): Script | undefined {
    const { value } = this.#search.next();
    this.#asked = value ?? undefined;
    if (this.#asked !== undefined) this.#executions++;
    return this.#asked;
  }

  /** Takes what the script shows that `next` gave last. */
  give(finding: Finding | undefined): void {
    const asked = this.#asked;
    if (asked === undefined || finding === undefined || !isSameFinding(finding, this.#finding)) return;
    const shorter = cut(asked, finding, this.#spec);
    const size = measure(shorter, this.#spec);
    if (!isSmaller(size, this.#size)) return;
    this.#best = shorter;
    this.#size = size;
    this.#found = finding;
    this.#improved = true;
  }

  /** Passes in turn until none of them gets any further; then the names. */
  *#candidates(): Generator<Script, void, void> {
    for (let before: Script | undefined; before !== this.#best; ) {
      before = this.#best;
      for (const pass of this.#passes) yield* this.#exhaust(pass);
    }
    yield* this.#offer(renamed(this.#best));
  }

  /** One pass until it offers nothing better; after each success it goes on where it was, then from the start. */
  *#exhaust(pass: Pass): Generator<Script, void, void> {
    let from = 0;
    for (let at: number | undefined = 0; at !== undefined; from = at ?? from) {
      at = yield* this.#round(pass, from, Number.POSITIVE_INFINITY);
      at ??= yield* this.#round(pass, 0, from);
    }
  }

  /** Some of the candidates of a pass, up to the first that is better; returns which one that was. */
  *#round(pass: Pass, from: number, to: number): Generator<Script, number | undefined, void> {
    let at = 0;
    for (const candidate of pass.candidates(this.#best, this.#spec)) {
      if (at >= to || this.#executions >= EXECUTIONS_MAX) return undefined;
      this.#improved = false;
      if (at >= from) yield* this.#offer(candidate);
      if (this.#improved) return at;
      at++;
    }
    return undefined;
  }

  /** Offers a script if it is smaller, was never run, and is not known to show nothing. */
  *#offer(script: Script): Generator<Script, void, void> {
    if (!isSmaller(measure(script, this.#spec), this.#size)) return;
    const candidate = this.#interned(script);
    const text = JSON.stringify(candidate);
    if (this.#tried.has(text) || this.#isHopeless(candidate)) return;
    this.#tried.add(text);
    yield candidate;
  }

  /**
   * Only commands were left out, the one that fails among them: the others have been run without a finding.
   * Where it alone was left out, what is given back afterwards may still show the finding.
   */
  #isHopeless({ commands, machine, schedule }: Script): boolean {
    const before = this.#best.commands;
    const isLast = this.#found.command === before.length - 1;
    if (schedule !== undefined || !isLast || machine !== this.#best.machine) return false;
    const known = new Set(before);
    const lacks = commands.at(-1) !== before.at(-1) && commands.length < before.length - 1;
    return lacks && commands.every((command) => known.has(command));
  }

  /** The same machine is the same object: targets boot it once. */
  #interned(script: Script): Script {
    const text = JSON.stringify(script.machine);
    const machine = this.#machines.get(text) ?? script.machine;
    this.#machines.set(text, machine);
    return machine === script.machine ? script : { ...script, machine };
  }
}

/** What comes after the finding never mattered; under a schedule it may have run before. */
function cut<M, S extends Stateful>(script: Script, { command }: Finding, spec: Spec<M, S>): Script {
  if (script.schedule !== undefined) return script;
  const after = script.commands.length - command - 1;
  if (after <= 0) return script;
  return without(script, new Set(Array.from({ length: after }, (_, at) => command + 1 + at)), spec);
}

/** Every candidate of every pass that is smaller, for shrinkers that bring their own loop. */
export function* candidates<M, S extends Stateful>(
  script: Script,
  spec: Spec<M, S>,
  fromPass = 0,
): Generator<{ readonly script: Script; readonly pass: number }> {
  const size = measure(script, spec);
  for (let at = 0; at < PASSES.length; at++) {
    const pass = (fromPass + at) % PASSES.length;
    for (const candidate of (PASSES[pass] as Pass).candidates(script, spec)) {
      if (isSmaller(measure(candidate, spec), size)) yield { script: candidate, pass };
    }
  }
}
