/**
 * A small model that other model checkers are given too: pages, two clients with handles, an I/O context a client
 * with two slots, and an IOTLB bit a slot. A page is in use while somebody has a handle for it or a slot maps it. Which
 * free page is taken is the caller's choice, so that a search sees all of them.
 *
 * With P pages each of them has one of 4 sets of holders, and each of the 4 slots is empty, or maps a page, known to
 * the IOTLB or not: 4^P x (1 + 2P)^4 states, all of which can be reached.
 */
import {
  type Args,
  type Call,
  type Column,
  type Invariant,
  type Naming,
  type Reply,
  type Role,
  type Rule,
  type Sort,
  type Spec,
  State,
  type Stateful,
  type Target,
  type Value,
  type View,
} from '../../model/index.ts';

export const CLIENTS = 2;
/** Slots of a context. */
export const SLOTS = 2;

export interface ToyMachine {
  readonly pages: number;
}

interface ToyState extends Stateful {
  readonly pages: number;
  /** By client and page: 1 when it has a handle. */
  readonly held: Column;
  /** By context and slot: the page mapped there plus one, or 0. */
  readonly mapped: Column;
  /** By context and slot: 1 when the IOTLB knows it. */
  readonly cached: Column;
  /** By page: handles and mappings. 0: it is free. */
  readonly uses: Column;
}

type OfPage = { readonly client: number; readonly page: number };
type OfSlot = { readonly client: number; readonly slot: number };

const handleOf = ({ pages }: ToyState, { client, page }: OfPage): number => client * pages + page;
const placeOf = ({ client, slot }: OfSlot): number => client * SLOTS + slot;
const isHeld = (s: ToyState, args: OfPage): boolean => s.held.get(handleOf(s, args)) === 1;
const isMapped = ({ mapped }: ToyState, args: OfSlot): boolean => mapped.get(placeOf(args)) > 0;
const otherThan = ({ client, page }: OfPage): OfPage => ({ client: 1 - client, page });

function hold(s: ToyState, args: OfPage): void {
  s.held.set(handleOf(s, args), 1);
  use(s, args.page, 1);
}

const use = ({ uses }: ToyState, page: number, more: number): void => uses.set(page, uses.get(page) + more);

/** A call that whoever may make it makes with success. */
const always = { refuse: [], may: [], accept: [], owes: () => 'P1' } as const;

const alloc: Rule<ToyState, OfPage, Value> = {
  ...always,
  require: [['the page is free', ({ uses }, { page }) => uses.get(page) === 0]],
  effect: hold,
};

const drop: Rule<ToyState, OfPage, Value> = {
  ...always,
  require: [['the client has a handle', isHeld]],
  effect(s, args) {
    s.held.set(handleOf(s, args), 0);
    use(s, args.page, -1);
  },
};

const share: Rule<ToyState, OfPage, Value> = {
  ...always,
  require: [
    ['the client has a handle', isHeld],
    ['the other has none', (s, args) => !isHeld(s, otherThan(args))],
  ],
  effect: (s, args) => hold(s, otherThan(args)),
};

const map: Rule<ToyState, OfPage & OfSlot, Value> = {
  ...always,
  require: [
    ['the slot is empty', (s, args) => !isMapped(s, args)],
    ['the client has a handle', isHeld],
  ],
  effect(s, args) {
    s.mapped.set(placeOf(args), args.page + 1);
    use(s, args.page, 1);
  },
};

const unmap: Rule<ToyState, OfSlot, Value> = {
  ...always,
  require: [['the slot is taken', isMapped]],
  effect(s, args) {
    const place = placeOf(args);
    use(s, s.mapped.get(place) - 1, -1);
    s.mapped.set(place, 0);
    s.cached.set(place, 0);
  },
};

const access: Rule<ToyState, OfSlot, Value> = {
  ...always,
  require: [['the slot is taken', isMapped]],
  effect: ({ cached }, args) => cached.set(placeOf(args), 1),
};

const COLUMN = { held: 0, mapped: 1, cached: 2, uses: 3 } as const;

const columnOf = (view: View, at: number): Int32Array => view.columns[at] as Int32Array;

const INVARIANTS: readonly Invariant<ToyMachine>[] = [
  {
    id: 'USED',
    text: 'no slot maps a free page',
    form: 'state',
    reads: [COLUMN.mapped, COLUMN.uses],
    broken(view) {
      const mapped = columnOf(view, COLUMN.mapped);
      const uses = columnOf(view, COLUMN.uses);
      for (let at = 0; at < mapped.length; at++) {
        const page = (mapped[at] as number) - 1;
        if (page >= 0 && uses[page] === 0) return `slot ${at} maps page ${page}, which is free`;
      }
      return undefined;
    },
  },
  {
    id: 'KNOWN',
    text: 'the IOTLB knows nothing that is not mapped',
    form: 'state',
    reads: [COLUMN.mapped, COLUMN.cached],
    broken(view) {
      const mapped = columnOf(view, COLUMN.mapped);
      const cached = columnOf(view, COLUMN.cached);
      for (let at = 0; at < mapped.length; at++)
        if (cached[at] !== 0 && mapped[at] === 0) return `slot ${at} is known and empty`;
      return undefined;
    },
  },
  { id: 'SAME', text: 'both sides agree', form: 'clause', reads: [] },
  { id: 'P1', text: 'what may be done succeeds', form: 'clause', reads: [] },
];

const CLIENT = { is: 'number', from: 0, to: CLIENTS - 1 } as const;
const PAGE = { is: 'number', from: 0, to: 'lastPage' } as const;
const SLOT = { is: 'number', from: 0, to: SLOTS - 1 } as const;

const common = { layer: 'toy', by: 'kernel' } as const;

const ids = (count: number): number[] => Array.from({ length: count }, (_, id) => id);

/** Nobody can tell pages from each other, nor clients, nor the slots of a context. */
const SORTS: readonly Sort<ToyMachine>[] = [
  { name: 'client', ids: () => ids(CLIENTS) },
  { name: 'page', ids: ({ pages }) => ids(pages) },
  { name: 'slot', of: 'client', ids: () => ids(SLOTS) },
];

const BY_PAGE: Naming = { from: 0, digits: ['page'] };
const BY_SLOT: Naming = { from: 0, digits: ['client', ['slot', SLOTS]] };
const byHolder = (pages: number): Naming => ({ from: 0, digits: ['client', ['page', pages]] });

const roleOf = ({ base, count }: Column, index: Naming, value?: Naming): Role => ({
  first: base,
  count,
  index,
  ...(value === undefined ? {} : { value }),
});

export const TOY: Spec<ToyMachine, ToyState> = {
  name: 'toy',
  fields: { pages: { from: 1, to: 8, default: 2, text: 'pages' } },
  policies: {},
  kinds: {},
  calls: {
    alloc: { ...common, text: 'take a free page', args: { client: CLIENT, page: PAGE } },
    drop: { ...common, text: 'give a handle back', args: { client: CLIENT, page: PAGE } },
    share: { ...common, text: 'give the other client a handle', args: { client: CLIENT, page: PAGE } },
    map: { ...common, text: 'map a page', args: { client: CLIENT, slot: SLOT, page: PAGE } },
    unmap: { ...common, text: 'unmap a slot, and flush it', args: { client: CLIENT, slot: SLOT } },
    access: { ...common, by: 'device', text: 'go through a slot', args: { client: CLIENT, slot: SLOT } },
  },
  rules: { alloc, drop, share, map, unmap, access } as unknown as Readonly<
    Record<string, Rule<ToyState, Args, Value>>
  >,
  sites: {},
  view: [
    { name: 'held', length: ({ pages }) => CLIENTS * pages, own: true, serves: () => 'SAME' },
    { name: 'mapped', length: () => CLIENTS * SLOTS, own: true, serves: () => 'SAME' },
    { name: 'cached', length: () => CLIENTS * SLOTS, own: true, serves: () => 'SAME' },
    { name: 'uses', length: ({ pages }) => pages, own: true, serves: () => 'SAME' },
  ],
  invariants: INVARIANTS,
  labels: [],
  premises: [],
  symmetry: {
    sorts: SORTS,
    roles: ({ pages, held, mapped, cached, uses }) => [
      roleOf(held, byHolder(pages)),
      roleOf(mapped, BY_SLOT, { from: 1, digits: ['page'] }),
      roleOf(cached, BY_SLOT),
      roleOf(uses, BY_PAGE),
    ],
  },
  scopes: {},
  closing: [],
  machineProblem: () => undefined,
  limits: ({ pages }) => ({ lastPage: pages - 1 }),
  boot: ({ pages }) => toyState(pages),
  columns: ({ state }) => state.columns(4),
  live: () => [],
  addresses: () => [],
};

function toyState(pages: number): ToyState {
  const state = new State();
  const held = state.column(CLIENTS * pages);
  const mapped = state.column(CLIENTS * SLOTS);
  const cached = state.column(CLIENTS * SLOTS);
  const uses = state.column(pages);
  state.seal();
  return { state, pages, held, mapped, cached, uses };
}

const DONE: Reply = { ok: {} };

/** An implementation of the toy: it does what it is asked, and keeps its own account of who uses a page. */
export class ToyTarget implements Target<ToyMachine> {
  readonly name = 'toy';
  readonly capabilities: Target<ToyMachine>['capabilities'] = new Set(['page-numbers'] as const);
  private pages = 0;
  private state = new State();
  /** By client and page: 1 when it has a handle. */
  private holders = this.state.column(0);
  /** By context and slot: twice the page plus two, plus the bit of the IOTLB; 0: empty. */
  private entries = this.state.column(0);
  /** By page: slots that map it. */
  private mappings = this.state.column(0);

  boot({ pages }: ToyMachine): void {
    this.pages = pages;
    this.state = new State();
    this.holders = this.state.column(CLIENTS * pages);
    this.entries = this.state.column(CLIENTS * SLOTS);
    this.mappings = this.state.column(pages);
    this.state.seal();
  }

  apply({ op, args }: Call): Reply {
    const { client, page, slot } = args as Readonly<Record<string, number>>;
    if (op === 'alloc' || op === 'drop') this.hold(client as number, page as number, op === 'alloc');
    else if (op === 'share') this.hold(1 - (client as number), page as number, true);
    else this.enter(op, (client as number) * SLOTS + (slot as number), page as number);
    return DONE;
  }

  observe(view: View): void {
    const held = columnOf(view, COLUMN.held);
    const uses = columnOf(view, COLUMN.uses);
    held.set(this.holders.values);
    for (let page = 0; page < this.pages; page++) uses[page] = this.usesOf(page);
    for (let place = 0; place < CLIENTS * SLOTS; place++) {
      const entry = this.entries.get(place);
      columnOf(view, COLUMN.mapped)[place] = entry >> 1;
      columnOf(view, COLUMN.cached)[place] = entry & 1;
    }
    view.shown = 15;
    view.touched = 15;
  }

  readonly undoable: NonNullable<Target<ToyMachine>['undoable']> = {
    attach: () => this.state.attach(),
    mark: () => this.state.mark(),
    undo: () => this.state.undo(),
    drop: () => this.state.drop(),
    fingerprint: () => this.state.fingerprint(),
    renamable: {
      roles: () => [
        roleOf(this.holders, byHolder(this.pages)),
        roleOf(this.entries, BY_SLOT, { from: 2, digits: ['page', 2] }),
        roleOf(this.mappings, BY_PAGE),
      ],
      listen: (heard) => this.state.listen(heard),
    },
  };

  /** Handles and mappings of a page. */
  protected usesOf(page: number): number {
    return this.holdersOf(page) + this.mappings.get(page);
  }

  protected holdersOf(page: number): number {
    return this.holders.get(page) + this.holders.get(this.pages + page);
  }

  private hold(client: number, page: number, has: boolean): void {
    this.holders.set(client * this.pages + page, has ? 1 : 0);
  }

  private enter(op: string, place: number, page: number): void {
    const entry = this.entries.get(place);
    if (op === 'access') this.entries.set(place, entry | 1);
    else if (op === 'map') this.replace(place, page, 1, (page + 1) << 1);
    else this.replace(place, (entry >> 1) - 1, -1, 0);
  }

  private replace(place: number, page: number, more: number, entry: number): void {
    this.entries.set(place, entry);
    this.mappings.set(page, this.mappings.get(page) + more);
  }
}

/** States with so many pages, and the transitions between them. */
export function toyCounts(pages: number): { readonly states: number; readonly transitions: number } {
  const slots = CLIENTS * SLOTS;
  const states = 4 ** pages * (1 + 2 * pages) ** slots;
  // A taken slot is unmapped or accessed, each handle dropped, those of half of the pages shared, and half of the
  // pages can be mapped into an empty slot.
  const many = (2 * slots * 2 * pages + (slots * pages) / 2) / (1 + 2 * pages) + pages + pages / 2;
  // Either client takes a page that nobody holds and no slot maps.
  const free = pages * 4 ** (pages - 1) * (2 * pages - 1) ** slots;
  return { states, transitions: Math.round(states * many) + CLIENTS * free };
}
