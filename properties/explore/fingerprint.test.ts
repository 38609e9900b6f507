import { expect } from 'chai';
import { State } from '../../model/index.ts';
import { SeededChoices } from '../choices.ts';
import { collisionOdds, type Fingerprint, join, placeOf, spread } from './fingerprint.ts';
import { search } from './search.ts';
import type { System } from './system.ts';
import { Visited } from './visited.ts';

/** Numbers from 0 on, one after the other, with fingerprints of few bits: some pass for others. */
class Counter implements System {
  readonly #states: number;
  readonly #salt: number;
  readonly #bits: number;
  #state = 0;

  constructor(states: number, bits: number, salt: number) {
    this.#states = states;
    this.#bits = bits;
    this.#salt = salt;
  }

  count(): number {
    return this.#states;
  }

  make(move: number): 'made' | 'undue' {
    if (this.#state !== 0) return 'undue';
    this.#state = move;
    return 'made';
  }

  asksToLook(): boolean {
    return false;
  }

  look(): undefined {
    return undefined;
  }

  back(): void {
    this.#state = 0;
  }

  fingerprint(): Fingerprint {
    return [spread([this.#state, this.#salt])[0] & (2 ** this.#bits - 1), 0];
  }
}

/** Two columns that hold a number's bits, with a fingerprint of their contents. */
class Digits {
  readonly state = new State();
  readonly #columns = [this.state.column(12), this.state.column(12)] as const;

  constructor() {
    this.state.seal();
    this.state.attach();
  }

  set(number: number): Fingerprint {
    for (let at = 0; at < 24; at++) this.#columns[at % 2 === 0 ? 0 : 1].set(at >> 1, (number >> at) & 1);
    return this.state.fingerprint();
  }
}

const MILLION = 1_000_000;

/** Of a million numbers. */
function differentOf(fingerprintOf: (number: number) => Fingerprint): number {
  const visited = new Visited();
  visited.reserve(MILLION);
  for (let number = 0; number < MILLION; number++) visited.add(...spread(fingerprintOf(number)));
  return visited.size;
}

describe('fingerprints', () => {
  it('are as likely to collide as is said, in 300 searches with 16 bits', () => {
    for (const states of [100, 250, 400]) {
      let hidden = 0;
      for (let salt = 0; salt < 300; salt++) {
        if (search(new Counter(states, 16, salt), { depth: 1, states: MILLION }).states < states) hidden++;
      }
      expect(hidden / 300 / collisionOdds(states, 16), `${states} states`).to.be.within(0.75, 1.33);
    }
  });

  it('have odds that are known: 23 birthdays, 2^32 states, one state', () => {
    expect(collisionOdds(23, Math.log2(365))).to.be.within(0.49, 0.51);
    expect(collisionOdds(2 ** 32)).to.be.within(0.39, 0.4);
    expect(collisionOdds(1)).to.equal(0);
    expect(collisionOdds(MILLION)).to.be.within(2.7e-8, 2.72e-8);
  });

  it('tell a million states of two systems apart', () => {
    const [one, other] = [new Digits(), new Digits()];
    const choices = new SeededChoices(1, 0);
    const [left, right] = [choices.below(MILLION), choices.below(MILLION)];
    // On both sides the same words change, so that whatever cancels has every chance to.
    const both = (number: number): Fingerprint => join(one.set(number ^ left), other.set(number ^ right));
    expect(differentOf(both), 'two that change together').to.equal(MILLION);
    const [fixed, moving] = [new Digits(), new Digits()];
    const apart = (number: number): Fingerprint => join(fixed.set(number & 1023), moving.set(number >> 10));
    expect(differentOf(apart), 'two that change each on its own').to.equal(MILLION);
  }).timeout(20_000);

  it('are spread over all places, however a system numbers its states', () => {
    for (const step of [1, 1024, 0x10000, 0x1000000 + 1]) {
      const hit = new Set<number>();
      for (let number = 0; number < 4096; number++)
        hit.add(placeOf(spread([Math.imul(number, step), 0])[0], 4096));
      expect(hit.size, `steps of ${step}: 1 - 1/e of the places`).to.be.within(2480, 2700);
    }
  });

  it('keep no half that is zero', () => {
    expect(spread([0, 0])).to.not.include(0);
    for (let high = -500; high < 500; high++) expect(spread([0, high])).to.not.include(0);
  });
});
