/** What an exhaustive search covers. */
import type { NamedScope } from '../../model/index.ts';
import type { Faults, ScriptMachine } from '../script.ts';

export interface Scope
  extends Pick<NamedScope, 'values' | 'few' | 'depth' | 'faults' | 'overlaps' | 'symmetry'> {
  readonly machine: ScriptMachine;
  /** Calls that are made; undefined: all that the target has. */
  readonly only?: readonly string[];
  /** States at which the search gives up. Default {@link STATES_MAX}. */
  readonly states?: number;
  /** Mebibytes that states may take. */
  readonly memory?: number;
  /** What is injected where there are faults; undefined: each fault site of the call fails once. */
  readonly fails?: readonly Faults[];
  /** False: it is not asked of every state whether everything can be given back. */
  readonly closes?: boolean;
}

export const STATES_MAX = 1_000_000;
