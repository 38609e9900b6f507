/**
 * What is mapped at which I/O addresses. The events do not say in which domain, and one address may be mapped in
 * several of them at once. So an unmap may mean any of the mappings that are live at its address: which one is left
 * open until something tells, and whoever asks whether a mapping is still there gets the answer that excuses most.
 */
import type { UnmapEvent } from '../event.ts';
import { type Mapping, PAGE } from '../mapping.ts';
import { PageTree } from './page-tree.ts';

/** An unmap, and which mappings it may mean: those born before it, of its device where that is known. */
export interface Death {
  readonly event: UnmapEvent;
  /** The last mapping that was born before. */
  readonly lastBorn: number;
  readonly device: string | undefined;
}

/** Several mappings at one address, of which some are dead, nobody knows which. */
interface Bag {
  readonly mappings: readonly Mapping[];
  /** Deaths of some of them, in the order of time; fewer than there are mappings. */
  readonly deaths: readonly Death[];
  /** So many that they were not told apart any more: each of them may be dead. */
  readonly worn: boolean;
}

/** Mostly there is one mapping, which lives. */
type Cell = Mapping | Bag;

/** A bag with more mappings than this is worn. */
const BAG_MAX = 32;

const NOTHING: readonly Mapping[] = [];
const NO_DEATHS: readonly Death[] = [];
const NONE: ReadonlyMap<Mapping, number> = new Map();

/** Pages of a mapping are gone. */
export interface Ending {
  readonly mapping: Mapping;
  /** I/O pages, by number of the first. */
  readonly first: number;
  readonly pages: number;
  /** Undefined: nobody knows when; too many mappings were at the address to tell them apart. */
  readonly event: UnmapEvent | undefined;
  /** Whether the unmap can have meant nothing else that the trace showed. */
  readonly sure: boolean;
}

export class LiveMappings {
  readonly #cells = new PageTree<Cell>((below, above) => this.#joined(below, above));
  readonly #ended: (ending: Ending) => void;
  readonly #unsure: (mapping: Mapping) => boolean;
  /** The mapping whose pages an unmap takes one after the other: they are told of together. */
  #dying: Mapping | undefined;
  #dyingFirst = 0;
  #dyingPages = 0;
  /** Whether a mapping came to more than are told apart. */
  #full = false;
  /** Addresses where mappings could not be told apart any more. */
  worn = 0;

  /** @param unsure - whether events are missing since a mapping's birth: its unmap may be among them */
  constructor(ended: (ending: Ending) => void, unsure: (mapping: Mapping) => boolean) {
    this.#ended = ended;
    this.#unsure = unsure;
  }

  add(mapping: Mapping): void {
    const { iova, size } = mapping;
    this.#full = false;
    this.#cells.add(pageOf(iova), pageCount(iova, size), mapping);
    if (this.#full) this.#crowded(iova, size);
  }

  #crowded(iova: number, size: number): void {
    const { first, count } = pagesOf(iova, size);
    this.#cells.change(first, count, (cell, at, pages) => this.#settle(cell, at, pages));
  }

  /** What may be live at a page. */
  at(page: number): readonly Mapping[] {
    let found: readonly Mapping[] = NOTHING;
    this.#cells.read(page, 1, (cell) => {
      found = found.length === 0 ? mappingsIn(cell) : [...found, ...mappingsIn(cell)];
    });
    return found;
  }

  /** Whether a mapping lives, and nothing else at its addresses; false as well where that takes long to tell. */
  isAlone(mapping: Mapping): boolean {
    const { iova, size } = mapping;
    return this.#cells.holdsOnly(mapping, pageOf(iova), pageCount(iova, size));
  }

  /** The older mappings of a space at the addresses of one, each with a page that both have. */
  olderIn(space: string, { id, iova, size }: Mapping): ReadonlyMap<Mapping, number> {
    const { first, count } = pagesOf(iova, size);
    let older: Map<Mapping, number> | undefined;
    this.#cells.read(first, count, (cell, at) => {
      for (const other of mappingsIn(cell))
        if (other.space === space && other.id < id)
          older = (older ?? new Map()).set(other, Math.max(at, first));
    });
    return older ?? NONE;
  }

  /** An unmap. Returns how many pages of it were mapped as far as is known. */
  kill(death: Death, first: number, count: number): number {
    let known = 0;
    this.#cells.change(first, count, (cell, at, pages) => {
      const left = this.#killIn(cell, death, at, pages);
      if (left !== cell) known += pages;
      return left;
    });
    this.#died(death);
    return known;
  }

  /**
   * Whether an unmap may have taken a page of a mapping already. If so it is taken to have: each unmap excuses one
   * mapping at a page. One whose own unmap may be missing leaves it to the others.
   */
  excuse(mapping: Mapping, page: number): boolean {
    let excused = true;
    this.#cells.change(page, 1, (cell) => {
      if (!mappingsIn(cell).includes(mapping)) return cell;
      const bag = bagOf(cell);
      const death = deathOf(bag, mapping);
      excused = death !== undefined || bag.worn;
      if (!excused || this.#unsure(mapping)) return cell;
      const rest = this.#spend(bag, mapping, death, page, 1);
      return rest === undefined ? undefined : this.#settle(rest, page, 1);
    });
    return excused;
  }

  /** Whether no unmap can have taken a page of a mapping. */
  isSure(mapping: Mapping, page: number): boolean {
    let sure = false;
    this.#cells.read(page, 1, (cell) => {
      if (!mappingsIn(cell).includes(mapping)) return;
      const bag = bagOf(cell);
      sure = deathOf(bag, mapping) === undefined && !bag.worn;
    });
    return sure;
  }

  /** All that no unmap can have taken, nor part of it, by age. */
  untouched(): readonly Mapping[] {
    const found = new Set<Mapping>();
    this.#cells.read(0, Number.MAX_SAFE_INTEGER, (cell) => {
      for (const mapping of mappingsIn(cell))
        if (!mapping.doubtful && mapping.left === pageCount(mapping.iova, mapping.size)) found.add(mapping);
    });
    return [...found].toSorted((a, b) => a.id - b.id);
  }

  /** Takes a mapping away at all of its addresses, whatever else is there. */
  remove(mapping: Mapping, event: UnmapEvent | undefined): void {
    const { first, count } = pagesOf(mapping.iova, mapping.size);
    this.#cells.change(first, count, (cell, at, pages) => {
      if (!mappingsIn(cell).includes(mapping)) return cell;
      this.#ended({ mapping, first: at, pages, event, sure: false });
      return 'worn' in cell ? without(cell, mapping, undefined) : undefined;
    });
  }

  #killIn(cell: Cell, death: Death, at: number, pages: number): Cell | undefined {
    if (!('worn' in cell)) return this.#killOne(cell, death, at, pages);
    this.#died(death);
    const all = cell.mappings.filter((mapping) => mayKill(death, mapping));
    if (all.length === 0) return this.#missed(cell, death);
    const only = onlyOf(all, death);
    if (only !== undefined) {
      this.#ended({ mapping: only, first: at, pages, event: death.event, sure: true });
      const rest = without(cell, only, undefined);
      return rest === undefined ? undefined : this.#settle(rest, at, pages);
    }
    for (const mapping of all) mapping.doubtful = true;
    const { mappings, deaths, worn } = cell;
    // Another one would say no more. A new bag, because the unmap was of what is known.
    if (worn && deaths.length >= BAG_MAX) return { mappings, deaths, worn };
    const later = deaths.findIndex(({ lastBorn }) => lastBorn > death.lastBorn);
    const inOrder = deaths.toSpliced(later < 0 ? deaths.length : later, 0, death);
    return this.#settle({ mappings, deaths: inOrder, worn }, at, pages);
  }

  /** Nearly always nothing else is at the address. */
  #killOne(mapping: Mapping, death: Death, at: number, pages: number): Mapping | undefined {
    if (!mayKill(death, mapping)) return this.#missed(mapping, death);
    if (mapping === this.#dying && at === this.#dyingFirst + this.#dyingPages) this.#dyingPages += pages;
    else {
      this.#died(death);
      this.#dying = mapping;
      this.#dyingFirst = at;
      this.#dyingPages = pages;
    }
    return undefined;
  }

  /** No more pages of the same mapping follow. */
  #died({ event }: Death): void {
    const mapping = this.#dying;
    if (mapping === undefined) return;
    this.#dying = undefined;
    this.#ended({ mapping, first: this.#dyingFirst, pages: this.#dyingPages, event, sure: true });
  }

  /** An unmap for a device that has nothing here: if its name is a mistake, it meant what others have. */
  #missed<C extends Cell>(cell: C, { lastBorn }: Death): C {
    for (const mapping of mappingsIn(cell)) mapping.doubtful ||= mapping.id <= lastBorn;
    return cell;
  }

  #joined(below: Cell, above: Cell): Bag {
    const bag = joined(below, above);
    this.#full ||= bag.mappings.length > BAG_MAX;
    return bag;
  }

  /** Where there are as many deaths as mappings, all may be dead; where there are too many, none is told apart. */
  #settle(cell: Cell, at: number, pages: number): Cell | undefined {
    if (!('worn' in cell)) return cell;
    const bag = cell;
    if (!bag.worn && bag.deaths.length >= bag.mappings.length) {
      const pairs = pairsOf(bag);
      if (pairs.length === bag.mappings.length) {
        for (const [mapping, { event }] of pairs)
          this.#ended({ mapping, first: at, pages, event, sure: false });
        return undefined;
      }
    }
    const [oldest] = bag.mappings;
    if (bag.mappings.length <= BAG_MAX || oldest === undefined) return bag;
    if (!bag.worn) this.worn += 1;
    for (const mapping of bag.mappings) mapping.doubtful = true;
    return this.#spend({ ...bag, worn: true }, oldest, deathOf(bag, oldest), at, pages);
  }

  #spend(bag: Bag, mapping: Mapping, death: Death | undefined, at: number, pages: number): Cell | undefined {
    this.#ended({ mapping, first: at, pages, event: death?.event, sure: false });
    return without(bag, mapping, death);
  }

  /** The trace is over: unmaps that may have meant several mappings are taken to have meant the oldest. */
  end(): void {
    this.#cells.change(0, Number.MAX_SAFE_INTEGER, (cell, at, pages) => {
      for (const [mapping, { event }] of pairsOf(bagOf(cell)))
        this.#ended({ mapping, first: at, pages, event, sure: false });
      return cell;
    });
  }
}

export const pageOf = (address: number): number => Math.floor(address / PAGE);

/** How many pages a range touches. */
export const pageCount = (start: number, size: number): number =>
  Math.ceil((start + size) / PAGE) - pageOf(start);

/** Whole pages that a range touches. */
export const pagesOf = (start: number, size: number): { readonly first: number; readonly count: number } => ({
  first: pageOf(start),
  count: pageCount(start, size),
});

const mayKill = ({ lastBorn, device }: Death, { id, space }: Mapping): boolean =>
  id <= lastBorn && (device === undefined || space === undefined || space === device);

const mappingsIn = (cell: Cell): readonly Mapping[] => ('worn' in cell ? cell.mappings : [cell]);

const bagOf = (cell: Cell): Bag =>
  'worn' in cell ? cell : { mappings: [cell], deaths: NO_DEATHS, worn: false };

/** What an unmap means, of all that it may mean: the only one of its device, or the only one. */
function onlyOf(all: readonly Mapping[], { device }: Death): Mapping | undefined {
  if (all.length === 1) return all[0];
  let named: Mapping | undefined;
  for (const mapping of all)
    if (device !== undefined && mapping.space === device) {
      if (named !== undefined) return undefined;
      named = mapping;
    }
  return named;
}

/** The death that can mean the fewest others: one of the mapping's own device, or else the earliest. */
const deathOf = ({ deaths }: Bag, mapping: Mapping): Death | undefined =>
  deaths.find((death) => mayKill(death, mapping) && death.device !== undefined) ??
  deaths.find((death) => mayKill(death, mapping));

/** As many of the mappings as may be dead at once, the oldest first, each with a death of its own. */
function pairsOf({ mappings, deaths, worn }: Bag): readonly (readonly [Mapping, Death])[] {
  let left = deaths;
  const pairs: (readonly [Mapping, Death])[] = [];
  for (const mapping of mappings) {
    const death = deathOf({ mappings, deaths: left, worn }, mapping);
    if (death === undefined) continue;
    left = left.filter((each) => each !== death);
    pairs.push([mapping, death]);
  }
  return pairs;
}

/** A bag without a mapping; deaths that can mean none of the others any more are forgotten. */
function without(bag: Bag, mapping: Mapping, death: Death | undefined): Cell | undefined {
  const [one, other] = bag.mappings;
  if (bag.mappings.length === 2 && bag.deaths.length === 0 && !bag.worn) return one === mapping ? other : one;
  const mappings = bag.mappings.filter((each) => each !== mapping);
  const deaths = bag.deaths.filter((each) => each !== death && mappings.some((one) => mayKill(each, one)));
  const [only] = mappings;
  if (mappings.length === 1 && deaths.length === 0 && !bag.worn) return only;
  return mappings.length === 0 ? undefined : { mappings, deaths, worn: bag.worn };
}

/** Two cells as one; mostly a mapping comes that is younger than all that are there. */
function joined(below: Cell, above: Cell): Bag {
  const a = bagOf(below);
  if (!('worn' in above) && (a.mappings.at(-1)?.id ?? 0) < above.id)
    return { mappings: [...a.mappings, above], deaths: a.deaths, worn: a.worn };
  const b = bagOf(above);
  return {
    mappings: [...a.mappings, ...b.mappings].toSorted((one, other) => one.id - other.id),
    deaths: [...a.deaths, ...b.deaths].toSorted((one, other) => one.lastBorn - other.lastBorn),
    worn: a.worn || b.worn,
  };
}
