/** What a search covered, in words: whoever reads that nothing was found must see where it was looked for. */
import { type Choice, SPEC } from '../model/index.ts';
import type { Explored, Scope, Told } from '../properties/index.ts';
import { machineText } from './script-text.ts';
import { count, many, table, wrapped } from './table.ts';

const COLUMNS = 100;

/** A search without what it found. */
type Covered = Omit<Explored, 'found'>;

/** The scopes that have names. */
export function listLines(): string[] {
  const rows = Object.entries(SPEC.scopes).map(([name, { text, large }]) => [
    name,
    large === true ? `${text} (for a night)` : text,
  ]);
  return table([['scope', 'what is searched'], ...rows]);
}

/**
 * The result in one sentence.
 *
 * @param length - commands of the case that was found
 */
export function verdictLine({ depth: limit }: Scope, explored: Covered, length: number | undefined): string {
  const { states, transitions, depth, frontier } = explored;
  const covered = `${many(states, 'state')}, ${many(transitions, 'transition')}`;
  if (length !== undefined)
    return `broken: the shortest case has ${many(length, 'command')}; found after ${covered}`;
  if (explored.ending === 'complete')
    return `holds for every script: ${covered}; nothing is left to visit, ${many(depth, 'command')} deep`;
  const left = `${count(frontier)} of the states were not followed further`;
  if (explored.ending === 'depth')
    return `holds for every script of up to ${many(limit, 'command')}: ${covered}; ${left}`;
  const gaveUp = explored.ending === 'interrupted' ? 'interrupted' : `given up for ${explored.ending}`;
  return `holds for every script of up to ${many(Math.max(depth - 1, 0), 'command')}: ${gaveUp} at ${covered}; ${left}`;
}

/** How far a search is. */
export function toldLine(
  scope: string,
  { states, transitions, depth, frontier }: Told,
  seconds: number,
): string {
  const rate = `${count(Math.round(transitions / seconds))} transitions/s`;
  const deep = `${many(depth, 'command')} deep`;
  return `exploring ${scope}: ${many(states, 'state')}, ${deep}, ${count(frontier)} to visit, ${rate}`;
}

/** Machine, calls and values, symmetry, odds: the bounds of the claim. */
export function boundLines(
  scope: Scope,
  { states, bytes, peakBytes, collision, passedOver, symmetry }: Covered,
): string[] {
  const { machine, only = Object.keys(SPEC.calls), few = 1, faults = 0, overlaps = 0, closes } = scope;
  const budgets = [
    ...(faults === 0 ? [] : [`${many(faults, 'injected fault')} a script`]),
    ...(overlaps === 0 ? [] : [`${many(overlaps, 'interrupted call')} a script`]),
    ...(closes === false ? ['not asked whether everything can be given back'] : []),
    ...(passedOver === 0 ? [] : [`${many(passedOver, 'finding')} that decide nothing were passed over`]),
  ];
  const perState = (count: number): string => (count / states).toFixed(0);
  const calls = only.map((op) => callText(scope, op)).join(', ');
  return [
    ...wrapped(`machine  ${machineText(machine)}`, COLUMNS),
    ...wrapped(
      `calls    ${calls}; ${few === 1 ? 'the first value' : `the first ${few} values`} of any other argument`,
      COLUMNS,
    ),
    ...(budgets.length === 0 ? [] : [`with     ${budgets.join('; ')}`]),
    symmetryLine(symmetry),
    `kept     ${perState(bytes)} bytes a state, at the most ${perState(peakBytes)} while a table grew`,
    `odds     ${collision === 0 ? '0' : collision.toExponential(1)} that two states were taken for one`,
  ];
}

function symmetryLine(symmetry: Covered['symmetry']): string {
  if (symmetry === undefined) return 'symmetry off';
  if (symmetry.renamings === 1) return 'symmetry on, but there is nothing to rename';
  // Where ids and pages are given out in order, some of them are not reached.
  return `symmetry on: ${many(symmetry.renamings, 'renaming')}; stands for up to ${many(symmetry.standsFor, 'state')}`;
}

function callText({ values }: Scope, op: string): string {
  const given = Object.entries(values?.[op] ?? {});
  if (given.length === 0) return op;
  return `${op}(${given.map(([name, choices]) => `${name} ${choices.map(choiceText).join(' or ')}`).join(', ')})`;
}

function choiceText(choice: Choice): string {
  if (typeof choice !== 'object') return String(choice);
  return 'offset' in choice ? `+${choice.offset}` : `[${choice.join(' ')}]`;
}
