/** Every script of a scope with every reply that the specification admits. */
import type { Spec, Stateful } from '../../model/index.ts';
import type { Finding } from '../finding.ts';
import type { Symmetric } from './lockstep-system.ts';
import { type Scope, STATES_MAX } from './scope.ts';
import { type Searched, search } from './search.ts';
import { type SpecCounts, type SpecReport, specReport } from './spec-report.ts';
import { type SpecMove, SpecSystem } from './spec-system.ts';

export interface SpecExplored extends Omit<Searched, 'found' | 'passedOver'> {
  readonly symmetry?: Symmetric;
  readonly counts: SpecCounts;
  readonly report: SpecReport;
  readonly found?: { readonly moves: readonly SpecMove[]; readonly finding: Finding };
}

/** Searches a scope of a specification by itself. */
export function exploreSpec<M, S extends Stateful>(spec: Spec<M, S>, scope: Scope): SpecExplored {
  const system = new SpecSystem(spec, scope);
  const { depth, states = STATES_MAX } = scope;
  const { found, passedOver: _, ...searched } = search(system, { depth, states });
  const report = specReport(system.counts, system.ops);
  const { counts, symmetry } = system;
  const result = { ...searched, ...(symmetry && { symmetry }), counts, report };
  if (found === undefined) return result;
  const { path, finding } = found;
  return { ...result, found: { moves: movesOf(spec, scope, path), finding } };
}

/** The moves of a path from boot: their numbers mean something only on the way. */
function movesOf<M, S extends Stateful>(spec: Spec<M, S>, scope: Scope, path: readonly number[]): SpecMove[] {
  const system = new SpecSystem(spec, scope);
  return path.map((number) => {
    const move = system.move(number);
    system.make(number);
    return move;
  });
}
