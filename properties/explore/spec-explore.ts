/** Every script of a scope with every reply that the specification admits. */
import type { Spec, Stateful } from '../../model/index.ts';
import type { Finding } from '../finding.ts';
import { covered, type Explored, limitsOf } from './explore.ts';
import type { Scope } from './scope.ts';
import { search } from './search.ts';
import { type SpecCounts, type SpecReport, specReport } from './spec-report.ts';
import { type SpecMove, SpecSystem } from './spec-system.ts';

export interface SpecExplored extends Omit<Explored, 'found' | 'passedOver'> {
  readonly counts: SpecCounts;
  readonly report: SpecReport;
  readonly found?: { readonly moves: readonly SpecMove[]; readonly finding: Finding };
}

/** Searches a scope of a specification by itself. */
export function exploreSpec<M, S extends Stateful>(spec: Spec<M, S>, scope: Scope): SpecExplored {
  const system = new SpecSystem(spec, scope);
  const searched = search(system, limitsOf(scope));
  const { counts, ops, renamings } = system;
  const { passedOver: _, ...explored } = covered({ searched, renamings });
  const result = { ...explored, counts, report: specReport(counts, ops) };
  if (searched.found === undefined) return result;
  const { path, finding } = searched.found;
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
