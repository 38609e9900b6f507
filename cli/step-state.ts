/** The state of a machine in words: what is not as it was at boot. */
import { COUNTER, type Machine, SPEC } from '../model/index.ts';
import { many, wrapped } from './table.ts';

/** Values of one column that are told, and runs of places that have one of them. */
const VALUES_MAX = 12;
const RUNS_MAX = 8;
const WIDTH = 90;

/** What the places of a column are: one after the other, or so many for each of something. */
interface Places {
  readonly one: string;
  readonly of?: { readonly one: string; readonly each: (machine: Machine) => number };
}

const ioPages = ({ ioBits, pageBytes }: Machine): number => 2 ** ioBits / pageBytes;
const IO_PAGE: Places = { one: 'I/O page', of: { one: 'context', each: ioPages } };
const HANDLE: Places = { one: 'handle', of: { one: 'client', each: ({ handles }) => handles + 1 } };
const PAGE: Places = { one: 'page' };

const PLACES: Readonly<Record<string, Places>> = {
  kind: PAGE,
  head: PAGE,
  index: PAGE,
  refs: PAGE,
  freeOrder: PAGE,
  line: { one: 'line', of: { one: 'page', each: ({ pageBytes, lineBytes }) => pageBytes / lineBytes } },
  reach: IO_PAGE,
  iotlb: IO_PAGE,
  bound: IO_PAGE,
  stale: IO_PAGE,
  handle: HANDLE,
  handleCount: HANDLE,
  kernelMaps: HANDLE,
  fd: { one: 'descriptor', of: { one: 'client', each: ({ fds }) => fds } },
  mapped: { one: 'mapped page' },
  userMap: { one: 'page', of: { one: 'client', each: ({ userPages }) => userPages } },
};

/** Values in words, for columns that say none themselves. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  client: ['none', 'there'],
  context: ['none', 'an unmanaged domain', 'a DMA domain', 'of the GPU'],
};

const COUNTERS = Object.keys(COUNTER);

/** The columns of a view; one that nobody shows is empty. */
export type Columns = readonly Int32Array[];

/** What is not as it was at boot: one entry a column. */
export const stateLines = (boot: Columns, now: Columns, machine: Machine): string[] =>
  linesOf(boot, now, machine, (_from, to) => to);

/** What is not as it was a call ago. */
export const changeLines = (before: Columns, now: Columns, machine: Machine): string[] =>
  linesOf(before, now, machine, (from, to) => `${from} -> ${to}`);

type Say = (from: string, to: string) => string;

function linesOf(before: Columns, now: Columns, machine: Machine, say: Say): string[] {
  return SPEC.view.flatMap(({ name }, at) => {
    const groups = groupsOf(at, before[at] ?? [], now[at] ?? [], say);
    const rest = groups.size - VALUES_MAX;
    const texts = [...groups].slice(0, VALUES_MAX).map(([text, places]) => {
      return `${placesText(name, places, machine)}: ${text}`;
    });
    if (rest > 0) texts.push(`and ${many(rest, 'more value')}`);
    return texts.length === 0 ? [] : wrapped(`${name.padEnd(11)} ${texts.join('; ')}`, WIDTH);
  });
}

/** Places where the values differ, by what there is to say of them. */
function groupsOf(
  column: number,
  before: ArrayLike<number>,
  now: ArrayLike<number>,
  say: Say,
): Map<string, number[]> {
  const { name = '', show = String } = SPEC.view[column] ?? {};
  const inWords = (value: number): string => WORDS[name]?.[value] ?? show(value);
  const groups = new Map<string, number[]>();
  for (let place = 0; place < now.length; place++) {
    const [from, to] = [before[place] ?? 0, now[place] ?? 0];
    if (from === to) continue;
    const text = say(inWords(from), inWords(to));
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [place]);
    else group.push(place);
  }
  return groups;
}

function placesText(column: string, places: readonly number[], machine: Machine): string {
  if (column === 'counter') return places.map((place) => COUNTERS[place] ?? `${place}`).join(' ');
  const { one, of } = PLACES[column] ?? { one: column };
  const runs = runsOf(places, of?.each(machine) ?? Number.POSITIVE_INFINITY);
  const texts = runs.slice(0, RUNS_MAX).map(([first, last]) => {
    const each = of?.each(machine) ?? Number.POSITIVE_INFINITY;
    const owner = of === undefined ? '' : `${of.one} ${Math.floor(first / each)} `;
    const start = of === undefined ? first : first % each;
    return `${owner}${one} ${start === start + last - first ? start : `${start}-${start + last - first}`}`;
  });
  const rest = runs.length - RUNS_MAX;
  return `${texts.join(', ')}${rest > 0 ? ` and ${many(rest, 'more run')}` : ''}`;
}

/** Neighbours together, as long as they belong to the same one. */
function runsOf(places: readonly number[], each: number): [first: number, last: number][] {
  const runs: [first: number, last: number][] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === place && place % each !== 0) run[1] = place;
    else runs.push([place, place]);
  }
  return runs;
}
