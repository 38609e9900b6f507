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
  /**
   * A call in which a fault fires is held against what was there before it, and only tried: the path goes on without.
   * Not together with overlaps.
   */
  readonly trials?: boolean;
  /**
   * False: it is not asked of every state whether everything can be given back. Else what exists is given back, in the
   * order of ids. 'as made': as after a script, in the order in which it was made, and what users hold even when it is
   * gone already; states with other such lists are different.
   */
  readonly closes?: false | 'as made';
}

/** States that one search visits at the most, without being told. */
export const STATES_MAX = 1_000_000;
/** Of all searches for a script that is shorter than one. */
export const CERTIFY_STATES = 100_000;
