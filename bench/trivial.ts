/** fast-check's own commands, as small as they get: sixteen counters, add, clear and read. The yardstick. */
import * as fc from 'fast-check';

type Model = Int32Array;
type Real = Int32Array;

class Add implements fc.Command<Model, Real> {
  readonly #at: number;
  constructor(at: number) {
    this.#at = at;
  }
  check = (): boolean => true;
  run(model: Model, real: Real): void {
    model[this.#at] = (model[this.#at] ?? 0) + 1;
    real[this.#at] = (real[this.#at] ?? 0) + 1;
    if (model[this.#at] !== real[this.#at]) throw new Error('the counters differ');
  }
  toString = (): string => `add(${this.#at})`;
}

class Clear implements fc.Command<Model, Real> {
  readonly #at: number;
  constructor(at: number) {
    this.#at = at;
  }
  check = (model: Readonly<Model>): boolean => model[this.#at] !== 0;
  run(model: Model, real: Real): void {
    model[this.#at] = 0;
    real[this.#at] = 0;
  }
  toString = (): string => `clear(${this.#at})`;
}

const counters = fc.nat(15);
const commands = fc.commands([counters.map((at) => new Add(at)), counters.map((at) => new Clear(at))], {
  maxCommands: 100,
  size: 'max',
});

/** Runs so many sequences through `fc.assert` and `fc.modelRun`. Returns the commands that were run. */
export function runTrivial(seed: number, sequences: number): number {
  let ran = 0;
  fc.assert(
    fc.property(commands, (list) => {
      ran += Array.from(list).length;
      fc.modelRun(() => ({ model: new Int32Array(16), real: new Int32Array(16) }), list);
    }),
    { seed, numRuns: sequences },
  );
  return ran;
}
