/**
 * A second specification, with nothing of the first in it: a cloakroom. Who hangs a coat up gets the number of a hook
 * of the target's choice; with it the coat is fetched. It has (colours + 1) ^ hooks states, whatever is chosen.
 */
import {
  type Args,
  type Call,
  type Column,
  type Invariant,
  type Reply,
  type Rule,
  type Spec,
  State,
  type Target,
  type Value,
  type View,
} from '../model/index.ts';

export interface Room {
  readonly hooks: number;
  readonly colours: number;
  readonly policies: Readonly<Record<string, string>>;
  /** Runs of hooks that are broken off. */
  readonly occupied: readonly (readonly [first: number, count: number])[];
}

export interface Cloaks {
  readonly state: State;
  readonly room: Room;
  /** Colour of the coat on each hook; 0: none; -1: broken off. */
  readonly coat: Column;
}

const COLUMN = { coat: 0, hung: 1 } as const;

const number = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

/** The coat that a ticket is for, or undefined: it is for none. */
function coatOf({ coat, room }: Cloaks, ticket: unknown): number | undefined {
  const hook = number(ticket);
  if (!Number.isInteger(hook) || hook < 0 || hook >= room.hooks) return undefined;
  return coat.get(hook) > 0 ? coat.get(hook) : undefined;
}

const hang: Rule<Cloaks, Args, Value> = {
  require: [],
  refuse: [
    ['EINVAL', ({ room }, { colour }) => number(colour) < 1 || number(colour) > room.colours, 'P1'],
    ['ENOSPC', ({ coat }) => !coat.values.includes(0), 'P1'],
  ],
  may: [],
  accept: [
    ['a hook without a coat', ({ coat }, _args, { ticket }) => coat.values[number(ticket)] === 0, 'FREE'],
  ],
  effect: ({ coat }, { colour }, { ticket }) => coat.set(number(ticket), number(colour)),
  owes: () => 'ROOM',
};

const fetchCoat: Rule<Cloaks, Args, Value> = {
  require: [],
  refuse: [['ENOENT', (s, { ticket }) => coatOf(s, ticket) === undefined, 'P1']],
  may: [],
  accept: [['the coat of the ticket', (s, { ticket }, { colour }) => coatOf(s, ticket) === colour, 'SAME']],
  effect: ({ coat }, { ticket }) => coat.set(number(ticket), 0),
  owes: () => 'P1',
};

/** Only the owner brushes a coat, so that a lost ticket is the caller's fault. */
const brush: Rule<Cloaks, Args, Value> = {
  ...fetchCoat,
  require: [['the coat is there', (s, { ticket }) => coatOf(s, ticket) !== undefined]],
  refuse: [],
  effect: () => {},
};

const column = (view: View, at: number): Int32Array => view.columns[at] ?? new Int32Array(0);

const INVARIANTS: readonly Invariant<Room>[] = [
  {
    id: 'KNOWN',
    text: 'every coat has a colour that exists',
    form: 'state',
    reads: [COLUMN.coat],
    broken: (view, { colours }) =>
      column(view, COLUMN.coat).some((coat) => coat > colours) ? 'a coat of no known colour' : undefined,
  },
  {
    id: 'COUNT',
    text: 'the counter equals a recount',
    form: 'state',
    reads: [COLUMN.coat, COLUMN.hung],
    broken(view) {
      const there = column(view, COLUMN.coat).filter((coat) => coat > 0).length;
      const [counted] = column(view, COLUMN.hung);
      return counted === there ? undefined : `${counted} coats are counted, ${there} are there`;
    },
  },
  {
    id: 'CALM',
    text: 'a call that fails changes no count',
    form: 'step',
    reads: [COLUMN.hung],
    before: (view) => column(view, COLUMN.hung)[0] ?? 0,
    broken: (before, view, _call, reply) =>
      'errno' in reply && column(view, COLUMN.hung)[0] !== before ? 'the count changed' : undefined,
  },
  {
    id: 'EMPTY',
    text: 'in the end no coat is left',
    form: 'end',
    reads: [COLUMN.coat],
    broken: (view) => (column(view, COLUMN.coat).some((coat) => coat > 0) ? 'a coat is left' : undefined),
  },
  { id: 'P1', text: 'the right errno', form: 'clause', reads: [] },
];

export const CLOAKROOM: Spec<Room, Cloaks> = {
  name: 'cloakroom',
  fields: {
    hooks: { from: 1, to: 8, default: 2, drawn: [1, 2, 3], text: 'hooks' },
    colours: { from: 1, to: 8, default: 2, text: 'colours' },
  },
  policies: { order: { values: ['first', 'last'], free: true, text: 'which hook is taken' } },
  kinds: { ticket: { main: 'ticket', user: true } },
  calls: {
    hang: {
      layer: 'hall',
      by: 'user',
      text: 'hang a coat up',
      args: { colour: { is: 'number', from: 1, to: 'colours', odd: [0] } },
      gives: { kind: 'ticket', fields: { ticket: { is: 'number', below: 'hooks', chosen: true } } },
    },
    fetch: {
      layer: 'hall',
      by: 'user',
      text: 'get the coat back',
      args: { ticket: { is: 'ref', of: ['ticket'], consumes: true } },
      gives: { fields: { colour: { is: 'number', from: 1, to: 'colours' } } },
    },
    brush: {
      layer: 'care',
      by: 'user',
      text: 'brush a coat',
      args: { ticket: { is: 'ref', of: ['ticket'] } },
      gives: { fields: { colour: { is: 'number', from: 1, to: 'colours' } } },
    },
  },
  rules: { hang, fetch: fetchCoat, brush },
  sites: { hook: ['ENOSPC'] },
  view: [
    { name: 'coat', length: ({ hooks }) => hooks, own: true, serves: () => 'SAME' },
    { name: 'hung', length: () => 1, own: false, serves: () => 'COUNT' },
  ],
  invariants: INVARIANTS,
  labels: [{ name: 'full', calls: ['hang'], holds: (_s, _args, reply) => 'errno' in reply }],
  scopes: {},
  premises: [
    {
      name: 'crowded',
      about: ['ROOM', 'P1'],
      text: 'at least two coats hang',
      holds: ({ coat }) => coat.values.filter((colour) => colour > 0).length > 1,
    },
  ],
  closing: ['fetch'],
  machineProblem: ({ hooks, occupied }) =>
    occupied.some(([first, count]) => first + count > hooks)
      ? 'a broken hook that does not exist'
      : undefined,
  limits: ({ hooks, colours }) => ({ hooks, colours }),
  boot(room) {
    const state = new State();
    const cloaks = { state, room, coat: state.column(room.hooks) };
    state.column(0);
    state.seal();
    for (const [first, count] of room.occupied) {
      for (let hook = first; hook < first + count; hook++) cloaks.coat.set(hook, -1);
    }
    return cloaks;
  },
  columns: ({ state }) => state.columns(2),
  live: ({ coat }) => [...coat.values.keys()].filter((hook) => coat.get(hook) > 0),
  addresses: () => [],
};

/** A cloakroom that works. Variants replace a method. */
export class Cloakroom implements Target<Room> {
  readonly name: string = 'cloakroom';
  readonly capabilities: Target<Room>['capabilities'] = new Set(['page-numbers', 'faults'] as const);
  coats: number[] = [];
  readonly marks: number[][] = [];
  last = false;

  boot({ hooks, occupied, policies }: Room): void {
    this.last = policies['order'] === 'last';
    this.coats = new Array<number>(hooks).fill(0);
    for (const [first, count] of occupied) this.coats.fill(-1, first, first + count);
  }

  apply({ op, args, fail }: Call): Reply {
    if (op === 'hang' && fail?.['hook'] === 1) return { errno: 'ENOSPC', fired: ['hook'] };
    return op === 'hang' ? this.hang(number(args['colour'])) : this.give(op, number(args['ticket']));
  }

  hang(colour: number): Reply {
    const ticket = this.last ? this.coats.lastIndexOf(0) : this.coats.indexOf(0);
    if (colour < 1) return { errno: 'EINVAL' };
    if (ticket < 0) return { errno: 'ENOSPC' };
    this.coats[ticket] = colour;
    return { ok: { ticket } };
  }

  give(op: string, ticket: number): Reply {
    const colour = this.coats[ticket] ?? 0;
    if (colour <= 0) return { errno: 'ENOENT' };
    if (op === 'fetch') this.coats[ticket] = 0;
    return { ok: { colour } };
  }

  observe(view: View): void {
    column(view, COLUMN.coat).set(this.coats);
    column(view, COLUMN.hung)[0] = this.coats.filter((coat) => coat > 0).length;
    view.shown = 3;
    view.touched = 3;
  }

  readonly undoable: NonNullable<Target<Room>['undoable']> = {
    attach: () => {},
    mark: () => this.marks.push([...this.coats]),
    undo: () => {
      this.coats = [...(this.marks.at(-1) ?? [])];
    },
    drop: () => this.marks.pop(),
    fingerprint: () => [this.coats.reduce((sum, coat) => sum * 16 + coat + 1, 0) | 0, 0],
  };
}
