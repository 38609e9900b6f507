/** Scripts for fast-check: `fc.assert(fc.property(scripts(SPEC), …))`, with seed, path, examples and shrinking. */
import * as fc from 'fast-check';
import type { Spec, Stateful } from '../model/index.ts';
import { choicesFrom } from './choices.ts';
import { type Finding, isSameFinding } from './finding.ts';
import { drawMachine, drawScript, type Plan } from './generate.ts';
import { machineOf } from './machine.ts';
import { compile } from './program.ts';
import type { Script } from './script.ts';
import { candidates } from './shrink/shrink.ts';

/**
 * A predicate for `fc.property`: false for the first finding and for those that are the same, true for all others.
 * fast-check keeps any failure while it shrinks, and without this guard slides from one bug to another.
 */
export function holdsButFor(run: (script: Script) => Finding | undefined): (script: Script) => boolean {
  let first: Finding | undefined;
  return (script) => {
    const finding = run(script);
    if (finding === undefined) return true;
    first ??= finding;
    return !isSameFinding(finding, first);
  };
}

/**
 * An arbitrary of scripts of a specification. It shrinks scripts handed in through `examples` too. Use it with
 * {@link holdsButFor}.
 */
export const scripts = <M, S extends Stateful>(spec: Spec<M, S>, plan: Plan = {}): fc.Arbitrary<Script> =>
  new ScriptArbitrary(spec, plan);

class ScriptArbitrary<M, S extends Stateful> extends fc.Arbitrary<Script> {
  readonly #spec: Spec<M, S>;
  readonly #plan: Plan;

  constructor(spec: Spec<M, S>, plan: Plan) {
    super();
    this.#spec = spec;
    this.#plan = plan;
  }

  generate(random: fc.Random, _biasFactor: number | undefined): fc.Value<Script> {
    const choices = choicesFrom((bound) => random.nextInt(0, bound - 1));
    const machine = drawMachine(this.#spec, choices, this.#plan.machine);
    return new fc.Value(drawScript(this.#spec, choices, machine, this.#plan), 0);
  }

  canShrinkWithoutContext(value: unknown): value is Script {
    return isScript(value, this.#spec);
  }

  /** `context` is the pass that made the script: shrinking goes on with that one. */
  shrink(value: Script, context: unknown): fc.Stream<fc.Value<Script>> {
    const from = typeof context === 'number' ? context : 0;
    return fc.stream(values(value, this.#spec, from));
  }
}

function* values<M, S extends Stateful>(
  script: Script,
  spec: Spec<M, S>,
  from: number,
): Generator<fc.Value<Script>> {
  for (const { script: candidate, pass } of candidates(script, spec, from))
    yield new fc.Value(candidate, pass);
}

/** True for what fits the table of calls. */
export function isScript<M, S extends Stateful>(value: unknown, spec: Spec<M, S>): value is Script {
  if (typeof value !== 'object' || value === null || !('commands' in value) || !('machine' in value))
    return false;
  try {
    const script = value as Script;
    compile(spec, script, machineOf(spec, script.machine));
    return true;
  } catch {
    return false;
  }
}
