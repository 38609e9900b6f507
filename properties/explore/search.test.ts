import { expect } from 'chai';
import { SeededChoices } from '../choices.ts';
import type { Finding } from '../finding.ts';
import { Expander, type Wants } from './expander.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Round } from './round.ts';
import { Search, type Searched, type SearchLimits, search } from './search.ts';
import type { System } from './system.ts';

const FAR: SearchLimits = { depth: 1000, states: 1_000_000 };

const findingOf = (detail: string, clause: string): Finding => ({
  kind: 'invariant',
  command: 0,
  call: { op: 'step', args: {} },
  serves: 'I1',
  clause,
  layer: '',
  detail,
});

/** A graph of numbers. A move of each state is refused, and many lead to the same few states. */
class Graph implements System {
  readonly path: number[] = [0];
  readonly states: number;
  readonly moves: number;
  /** Called before each move is made. */
  before: () => void = () => {};

  constructor(states: number, moves = 6) {
    this.states = states;
    this.moves = moves;
  }

  get state(): number {
    return this.path.at(-1) ?? 0;
  }

  count(): number {
    return this.moves;
  }

  make(move: number): 'made' | 'undue' | Finding {
    this.before();
    if (move === this.state % this.moves) return 'undue';
    this.path.push(this.next(move));
    return 'made';
  }

  next(move: number): number {
    const { state, states } = this;
    return move % 2 === 0 ? (state * (move + 3) + 1) % states : Math.min(state + move, states - 1);
  }

  asksToLook(): boolean {
    return false;
  }

  look(): Finding | undefined {
    return undefined;
  }

  back(): void {
    this.path.pop();
  }

  fingerprint(): Fingerprint {
    return [this.state, 0];
  }
}

/** What is wrong shows in a state, in a closer look at it, or in the move that leads there. */
class Faulty extends Graph {
  override asksToLook(): boolean {
    return this.state % 11 === 0;
  }

  override look(): Finding | undefined {
    const [before = 0, now = 0] = this.path.slice(-2);
    if (now % 17 === 5) return findingOf(`state ${now}`, 'state');
    return now % 11 === 0 && before % 3 === 1 ? findingOf(`from ${before} to ${now}`, 'step') : undefined;
  }

  lookFurther(): Finding | undefined {
    return this.state % 19 === 7
      ? findingOf(`state ${this.state} from ${this.path.at(-2)}`, 'end')
      : undefined;
  }

  override make(move: number): 'made' | 'undue' | Finding {
    const made = super.make(move);
    return made === 'made' && this.state % 23 === 9 ? findingOf(`reply at ${this.state}`, 'reply') : made;
  }
}

type Counted = Omit<Searched, 'collision' | 'bytes' | 'peakBytes' | 'standsFor'>;

/** The same search with sets and whole paths, one state after the other. */
function plainly(graph: Faulty, limits: SearchLimits, wants: Wants): Counted {
  const known = new Set([0]);
  const paths: (readonly number[])[] = [[]];
  let [transitions, passedOver, next] = [0, 0, 0];
  const end = (ending: Searched['ending'], found?: Searched['found']): Counted => ({
    states: known.size,
    transitions,
    depth: (paths.at(-1) ?? []).length,
    ending,
    frontier: paths.length - next,
    passedOver,
    ...(found === undefined ? {} : { found }),
  });
  for (; next < paths.length; next++) {
    const path = paths[next] ?? [];
    if (path.length >= limits.depth) return end('depth');
    if (paths.length >= limits.states) return end('states');
    for (const move of path) graph.make(move);
    for (let move = 0; move < graph.count(); move++) {
      const made = graph.make(move);
      if (made === 'undue') continue;
      transitions++;
      const isNew = made === 'made' && !known.has(graph.state);
      if (isNew) known.add(graph.state);
      const finding = typeof made === 'object' ? made : lookAt(graph, isNew);
      if (finding !== undefined && wants(finding)) return end('found', { path: [...path, move], finding });
      if (finding !== undefined) passedOver++;
      else if (isNew) paths.push([...path, move]);
      graph.back();
    }
    graph.path.length = 1;
  }
  return end('complete');
}

function lookAt(graph: Faulty, isNew: boolean): Finding | undefined {
  if (isNew) return graph.look() ?? graph.lookFurther();
  return graph.asksToLook() ? graph.look() : undefined;
}

/** Threads in one process: now and then, in the middle of a move, another one goes on until its share is done. */
function searchInterleaved(
  systems: readonly Graph[],
  limits: SearchLimits,
  seed: number,
  wants?: Wants,
): Searched {
  const choices = new SeededChoices(seed, 0);
  const whole = new Search([0, 0], limits, systems.length);
  const expanders = systems.map((system) => new Expander(system, wants));
  for (let round = whole.begin(); round !== undefined; round = whole.begin())
    whole.end(interleaved(expanders, systems, round, choices));
  return whole.result;
}

function interleaved(
  expanders: readonly Expander[],
  systems: readonly Graph[],
  round: Round,
  choices: SeededChoices,
): ReturnType<Expander['run']>[] {
  const results = expanders.map(() => ({ notes: 0 }));
  const run = (thread: number): void => {
    results[thread] = (expanders[thread] as Expander).run(round, thread);
  };
  for (const [thread, system] of systems.entries()) {
    let left = thread + 1 < systems.length ? choices.below(40) : -1;
    system.before = () => {
      if (left-- === 0) run(thread + 1);
    };
  }
  run(0);
  return results;
}

const isOfClause =
  (...clauses: readonly string[]): Wants =>
  ({ clause }) =>
    clauses.includes(clause);

describe('search', () => {
  for (const [name, limits, wants] of [
    ['a finding of any kind', FAR, () => true],
    ['a finding of a state', FAR, isOfClause('state')],
    ['a finding of new states', FAR, isOfClause('end')],
    ['one finding of new states', FAR, ({ detail }) => detail.startsWith('state 20')],
    ['a finding of a step', FAR, isOfClause('step')],
    ['a finding of a reply', FAR, isOfClause('reply')],
    ['nothing that is wanted', FAR, isOfClause()],
    ['a limit of states', { ...FAR, states: 77 }, isOfClause()],
    ['a limit of depth', { ...FAR, depth: 6 }, isOfClause()],
  ] satisfies [string, SearchLimits, Wants][]) {
    it(`ends as if it were done plainly, for any number of threads, however they meet: ${name}`, () => {
      const sizes = [...Array.from({ length: 20 }, (_, at) => 30 + 5 * at), 700, 3000];
      for (const [seed, size] of sizes.entries()) {
        const plain = plainly(new Faulty(size), limits, wants);
        expect(search(new Faulty(size), limits, wants)).to.deep.include(plain);
        const systems = Array.from({ length: 2 + (seed % 3) }, () => new Faulty(size));
        expect(searchInterleaved(systems, limits, seed, wants)).to.deep.include(plain);
      }
    });
  }

  it('meets its limit before it finds something in the next state', () => {
    const endings = new Set<string>();
    for (let states = 2; states < 60; states++) {
      const plain = plainly(new Faulty(3000), { ...FAR, states }, isOfClause('reply'));
      expect(search(new Faulty(3000), { ...FAR, states }, isOfClause('reply'))).to.deep.include(plain);
      endings.add(plain.ending);
    }
    expect([...endings]).to.deep.equal(['states', 'found']);
  });

  it('stops before the state at which the limit is met, and no later', () => {
    const { states, frontier, ending } = search(new Graph(3000), { ...FAR, states: 100 });
    expect(ending).to.equal('states');
    expect(states).to.be.within(100, 105);
    expect(frontier).to.be.within(1, states);
  });

  it('keeps states within the memory that it is given', () => {
    const { ending, peakBytes, states } = search(new Graph(100_000), { ...FAR, memory: 1 });
    expect(ending).to.equal('memory');
    expect(peakBytes).to.be.below(2 ** 20);
    expect(states).to.be.above(25_000);
  });

  it('keeps at most 24 bytes a state, also where moves need four bytes', () => {
    for (const [graph, depth] of [
      [new Graph(20_000), 1000],
      [new Graph(50_000), 1000],
      [new Graph(70_000, 70_000), 1],
    ] as const) {
      const { states, bytes, peakBytes } = search(graph, { ...FAR, depth });
      expect(states).to.be.above(10_000);
      expect(bytes / states, `${states} states`).to.be.at.most(24);
      expect(peakBytes / states, `${states} states`).to.be.at.most(41);
    }
  });

  it('ends when it is told to, and says what it covered', () => {
    const told: number[] = [];
    const { ending, states, frontier } = search(new Graph(100_000), FAR, undefined, (so) => {
      told.push(so.states);
      return told.length < 5;
    });
    expect([ending, told.length]).to.deep.equal(['interrupted', 5]);
    expect(states).to.equal(told.at(-1));
    expect(frontier).to.be.above(0);
  });

  it('expands a state whose moves find more than a table has room for', () => {
    const { states, transitions } = search(new Graph(30_000, 20_000), { ...FAR, depth: 1 });
    expect([states, transitions], 'the first, and every odd one').to.deep.equal([10_001, 19_999]);
  });

  it('tells when the same moves lead elsewhere the second time', () => {
    class Tired extends Graph {
      #made = 0;
      override make(move: number): ReturnType<Graph['make']> {
        return ++this.#made > 300 ? 'undue' : super.make(move);
      }
    }
    expect(() => search(new Tired(3000), FAR)).to.throw('led elsewhere the second time');
  });
});
