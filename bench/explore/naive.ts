/** The toy searched as one would in an afternoon: states are objects, copied for each move, told apart by JSON. */
import { CLIENTS, SLOTS } from './toy.ts';

interface State {
  /** By client and page. */
  held: boolean[][];
  /** By client and slot: the page, and whether the IOTLB knows it. */
  slots: ({ page: number; cached: boolean } | null)[][];
  /** By page. */
  uses: number[];
}

export interface Counted {
  readonly states: number;
  readonly transitions: number;
}

type Move = (state: State) => boolean;

/** Every move; each says whether it may be made. */
function movesOf(pages: number): Move[] {
  const moves: Move[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    for (let slot = 0; slot < SLOTS; slot++) moves.push(unmap(client, slot), access(client, slot));
    for (let page = 0; page < pages; page++) {
      moves.push(alloc(client, page), drop(client, page), share(client, page));
      for (let slot = 0; slot < SLOTS; slot++) moves.push(map(client, slot, page));
    }
  }
  return moves;
}

const isHeld = ({ held }: State, client: number, page: number): boolean => held[client]?.[page] === true;

function setHeld({ held, uses }: State, client: number, page: number, has: boolean): true {
  (held[client] as boolean[])[page] = has;
  uses[page] = (uses[page] ?? 0) + (has ? 1 : -1);
  return true;
}

const alloc =
  (client: number, page: number): Move =>
  (state) =>
    state.uses[page] === 0 && setHeld(state, client, page, true);

const drop =
  (client: number, page: number): Move =>
  (state) =>
    isHeld(state, client, page) && setHeld(state, client, page, false);

const share =
  (client: number, page: number): Move =>
  (state) =>
    isHeld(state, client, page) && !isHeld(state, 1 - client, page) && setHeld(state, 1 - client, page, true);

const map =
  (client: number, slot: number, page: number): Move =>
  (state) => {
    const slots = state.slots[client] ?? [];
    if (!isHeld(state, client, page) || slots[slot] !== null) return false;
    slots[slot] = { page, cached: false };
    state.uses[page] = (state.uses[page] ?? 0) + 1;
    return true;
  };

const unmap =
  (client: number, slot: number): Move =>
  (state) => {
    const slots = state.slots[client] ?? [];
    const mapped = slots[slot] ?? null;
    if (mapped === null) return false;
    slots[slot] = null;
    state.uses[mapped.page] = (state.uses[mapped.page] ?? 0) - 1;
    return true;
  };

const access =
  (client: number, slot: number): Move =>
  (state) => {
    const mapped = state.slots[client]?.[slot] ?? null;
    if (mapped === null) return false;
    mapped.cached = true;
    return true;
  };

function check({ slots, uses }: State): void {
  for (const mapped of slots.flat())
    if (mapped !== null && uses[mapped.page] === 0) throw new Error(`page ${mapped.page} is mapped and free`);
}

/** Searches all of it. */
export function searchNaively(pages: number): Counted {
  const moves = movesOf(pages);
  const boot: State = {
    held: Array.from({ length: CLIENTS }, () => new Array<boolean>(pages).fill(false)),
    slots: Array.from({ length: CLIENTS }, () => new Array<null>(SLOTS).fill(null)),
    uses: new Array<number>(pages).fill(0),
  };
  const seen = new Set([JSON.stringify(boot)]);
  const queue = [JSON.stringify(boot)];
  let transitions = 0;
  for (const text of queue) {
    for (const move of moves) {
      const state = JSON.parse(text) as State;
      if (!move(state)) continue;
      transitions++;
      const key = JSON.stringify(state);
      if (seen.has(key)) continue;
      check(state);
      seen.add(key);
      queue.push(key);
    }
  }
  return { states: seen.size, transitions };
}
