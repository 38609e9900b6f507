/** A test case, as it is generated, shrunk, stored, sent and replayed: nothing but JSON. */

/** The version of the format below. Readers migrate older ones; newer ones they refuse. */
export const FORMAT = 1;

/** A place in something: `offset` bytes from where the named result starts. */
export interface Place {
  readonly in: string;
  readonly offset: number;
}

/**
 * What an argument may be: a number; a literal of 2^53 or more, as `"0x…"`; a word; the name of an earlier result,
 * or one of its fields as `"name.field"`; a place; or a list. The table of calls says which.
 */
export type Argument = number | string | Place | readonly (number | string)[];

/** Fault sites and which asking of each must fail, from 1. */
export type Faults = Readonly<Record<string, number>>;

/** One step. Its arguments stand beside these four, under the names that the table of calls gives them. */
export interface Command {
  readonly op: string;
  /** Name of the result, unique in the script. */
  readonly as?: string;
  /** Who takes the step; program order holds for each actor. Default: `main`. */
  readonly actor?: string;
  readonly fail?: Faults;
  readonly [argument: string]: Argument | Faults | undefined;
}

/** The command with this name stops at its switch point, counted from 1, and this actor goes on. */
export interface Preemption {
  readonly in: string;
  readonly point: number;
  readonly to: string;
}

/** Runs of pages: first and count. */
export type Runs = readonly (readonly [first: number, count: number])[];

/** The fields of a machine that are runs of pages. */
export const START_MAPS = ['occupied', 'movable'] as const;

/** The numbers of a machine that differ from the specification's defaults, its policies and its start map. */
export interface ScriptMachine {
  readonly policies?: Readonly<Record<string, string>>;
  /** Runs of pages that somebody else holds from boot on; the second may be moved. */
  readonly occupied?: Runs;
  readonly movable?: Runs;
  readonly [field: string]: unknown;
}

export interface Script {
  readonly format: number;
  readonly machine: ScriptMachine;
  readonly commands: readonly Command[];
  readonly schedule?: readonly Preemption[];
}

/** Keys of a command that are not arguments. */
export const RESERVED: ReadonlySet<string> = new Set(['op', 'as', 'actor', 'fail']);

/** Something in a script or case that cannot be. `path` names the field, such as `commands[3].handle`. */
export class ScriptError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'ScriptError';
    this.path = path;
  }
}

/** The arguments of a command, without its other keys. */
export function argumentsOf(command: Command): [name: string, value: Argument][] {
  const entries = Object.entries(command) as [string, Argument][];
  return entries.filter(([name]) => !RESERVED.has(name));
}

/** The name a reference starts with: `m` of `m.dma`. */
export const nameOf = (reference: string): string => reference.split('.', 1)[0] ?? reference;

/** A number as text: for those of 2^53 and more. */
export const isLiteral = (text: string): boolean => text[0] === '0' && /^0x[0-9a-f]{1,16}$/i.test(text);

const LITERAL_MAX = 0xffff_ffff_ffff_ffffn;

/** A number as a script has it: from 2^53 on as text, at most of 64 bits. */
export function literalOf(value: number): number | string {
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(value);
  return `0x${(exact > LITERAL_MAX ? LITERAL_MAX : exact).toString(16)}`;
}
