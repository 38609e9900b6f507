/** What an exhaustive search covers: a machine, calls, and the values that their arguments take. */
import type { ScriptMachine } from '../script.ts';

/**
 * A value of an argument: a number, a word, a list of words; for a place an offset in whatever has addresses, or an
 * address as a number; for a list of references how many there are.
 */
export type Choice = number | string | readonly string[] | { readonly offset: number };

export interface Scope {
  readonly machine: ScriptMachine;
  /** Calls that are made; undefined: all that the target has. */
  readonly only?: readonly string[];
  /** Values of arguments, by call and argument. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, readonly Choice[]>>>>;
  /** How many values every other number, offset and length of a list takes: the first ones of its range. Default 1. */
  readonly few?: number;
  /** Commands in a script at the most. */
  readonly depth: number;
  /** States at which the search gives up. Default {@link STATES_MAX}. */
  readonly states?: number;
  /** Calls of a script in which a fault is injected, at the most: each fault site of the call fails once. Default 0. */
  readonly faults?: number;
  /** Calls of a script that another actor's call interrupts at a switch point, at the most. Default 0. */
  readonly overlaps?: number;
  /** False: it is not asked of every state whether everything can be given back. */
  readonly closes?: boolean;
}

export const STATES_MAX = 1_000_000;
