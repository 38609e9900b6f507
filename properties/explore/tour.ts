/**
 * Few scripts that cover every abstract transition of a scope's graph. Greedy tours: from where a script stands, on to
 * the nearest transition that is not covered; a new script begins where none can be reached, or when it is long enough.
 */
import type { Reply, Spec, Stateful, Target } from '../../model/index.ts';
import type { Script } from '../script.ts';
import { Stepper } from '../stepper.ts';
import { Abstraction, type Detail, outcomeOf } from './abstraction.ts';
import { scriptOfPath, UnconfirmedError } from './explore.ts';
import { type Edge, type Graph, graphOf } from './graph.ts';
import type { Scope } from './scope.ts';
import type { Searched } from './search.ts';

/** Scripts that cover a scope, with what that means. Plain data. */
export interface Tested {
  readonly searched: Searched;
  readonly abstractStates: number;
  readonly transitions: number;
  /** How many of them the scripts show when they are run from boot: counted again, without the graph. */
  readonly covered: number;
  readonly scripts: readonly Script[];
  /** Commands of one shortest script for each transition instead. */
  readonly alone: number;
}

/**
 * Scripts of at most so many commands, more only where a transition is that far, which cover every abstract transition
 * of a scope. None where something is found: the graph of a wrong target is no measure.
 *
 * @throws {UnconfirmedError} when one of them shows a finding, though the search found none
 * @throws Error when the target cannot go back
 */
export function testsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scope: Scope,
  { detail, length }: { readonly detail: Detail; readonly length: number },
): Tested {
  const graph = graphOf(spec, target, scope, detail);
  const { searched, abstractStates, transitions } = graph;
  const counts = { searched, abstractStates, transitions: transitions.length };
  if (searched.found !== undefined) return { ...counts, covered: 0, scripts: [], alone: 0 };
  const scripts = tours(graph, length).map((path) => scriptOfPath(spec, target, scope, path));
  const shown = transitionsOf(spec, target, scripts, detail);
  const covered = transitions.filter((transition) => shown.has(transition)).length;
  return { ...counts, covered, scripts, alone: commandsAlone(graph) };
}

/** Paths from state 0, each as numbers of moves, that cover every transition of the graph together. */
function tours({ edges, transitions }: Pick<Graph, 'edges' | 'transitions'>, length: number): number[][] {
  const left = new Set(transitions.keys());
  const walker = new Walker(edges);
  const paths: number[][] = [];
  let path: number[] = [];
  let at = 0;
  while (left.size > 0) {
    const way = walker.nearest(at, left, path.length === 0 ? Number.POSITIVE_INFINITY : length - path.length);
    if (way.length === 0) {
      if (path.length === 0) throw new Error('internal error: a transition that no path leads to');
      paths.push(path);
      path = [];
      at = 0;
    }
    for (const { move, to, transition } of way) {
      path.push(move);
      left.delete(transition);
      at = to;
    }
  }
  return path.length === 0 ? paths : [...paths, path];
}

/** Commands of a script for each transition alone: the shortest ways to them. */
function commandsAlone({ edges, transitions }: Pick<Graph, 'edges' | 'transitions'>): number {
  const left = new Set(transitions.keys());
  let commands = 0;
  new Walker(edges).visit(0, Number.POSITIVE_INFINITY, (edge, distance) => {
    if (left.delete(edge.transition)) commands += distance;
    return left.size === 0;
  });
  return commands;
}

class Walker {
  readonly #edges: Graph['edges'];
  /** By state, the number of the walk that met it last, and the state and the edge that led there. */
  readonly #met: Int32Array;
  readonly #from: Int32Array;
  readonly #by: Edge[] = [];
  #walks = 0;

  constructor(edges: Graph['edges']) {
    this.#edges = edges;
    this.#met = new Int32Array(edges.length);
    this.#from = new Int32Array(edges.length);
  }

  /** The shortest way that ends with a wanted transition, of at most so many moves; empty: there is none. */
  nearest(start: number, wanted: ReadonlySet<number>, most: number): Edge[] {
    let way: Edge[] = [];
    this.visit(start, most, (edge, _distance, state) => {
      if (!wanted.has(edge.transition)) return false;
      way = [...this.#wayTo(start, state), edge];
      return true;
    });
    return way;
  }

  /** Shows every edge within so many moves, the nearest first, until told that it was enough. */
  visit(start: number, most: number, see: (edge: Edge, distance: number, from: number) => boolean): void {
    const walk = ++this.#walks;
    this.#met[start] = walk;
    let level = [start];
    for (let distance = 1; distance <= most && level.length > 0; distance++) {
      const next: number[] = [];
      for (const state of level) {
        for (const edge of this.#edges[state] ?? []) {
          if (see(edge, distance, state)) return;
          if (this.#met[edge.to] === walk) continue;
          this.#met[edge.to] = walk;
          this.#from[edge.to] = state;
          this.#by[edge.to] = edge;
          next.push(edge.to);
        }
      }
      level = next;
    }
  }

  #wayTo(start: number, state: number): Edge[] {
    const way: Edge[] = [];
    for (let at = state; at !== start; at = this.#from[at] as number) way.push(this.#by[at] as Edge);
    return way.reverse();
  }
}

/**
 * The abstract transitions that scripts show when they are run from boot: what the tours promise, counted again.
 *
 * @throws {UnconfirmedError} when one of them shows a finding
 */
function transitionsOf<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  scripts: readonly Script[],
  detail: Detail,
): Set<string> {
  const stepper = new Stepper(spec, target);
  const abstraction = new Abstraction(spec, detail);
  const seen = new Set<string>();
  for (const script of scripts) {
    target.boot(stepper.begin(script));
    stepper.lockstep.refresh(target);
    for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
      const { world } = stepper.lockstep;
      const before = `${abstraction.state(world)} ${abstraction.call(world, stepper.call)}`;
      const reply: Reply = target.apply(call);
      if (stepper.steps[stepper.at]?.own === true) seen.add(`${before} ${outcomeOf(reply)}`);
      const finding = stepper.give(reply, target);
      if (finding !== undefined) throw new UnconfirmedError(target.name, script, finding, 'script');
    }
    const finding = stepper.end();
    if (finding !== undefined) throw new UnconfirmedError(target.name, script, finding, 'script');
  }
  return seen;
}
