import { expect } from 'chai';
import { COUNTER, KIND, type Machine, type Reply, SPEC, VIEW, type View } from './index.ts';
import { machineWith, viewOf } from './judged.test.ts';
import { translation } from './units.ts';
import { CONTEXT } from './world.ts';

export const MACHINE = machineWith({ pages: 8, occupied: [[7, 1]] });
export const IO_PAGES = 16;

/** Page 5, as `mapped` codes it without caches. */
export const MAPPED = 6 << 1;

export type Cells = Readonly<Record<number, number>>;
export type Columns = Partial<Record<keyof typeof VIEW, Cells>>;

/**
 * A view in order: pages 0 to 3 are one free block, page 4 is a buffer that handle 1 of client 0 holds and GPU
 * context 1 has bound at I/O page 2, page 5 is a block, page 6 is free, and page 7 is somebody else's.
 */
export function viewWith(changes: Columns = {}): View {
  const view = viewOf(MACHINE);
  const order: Columns = {
    kind: { 4: KIND.BUFFER, 5: KIND.BLOCK, 7: KIND.OCCUPIED },
    head: { 4: 5, 5: 6 },
    refs: { 4: 2 },
    freeOrder: { 0: 3, 6: 1 },
    context: { 0: CONTEXT.UNMANAGED, 1: CONTEXT.GPU },
    reach: { 3: translation(5, 3), [IO_PAGES + 2]: translation(4, 1) },
    iotlb: { [IO_PAGES + 2]: translation(4, 1) },
    handle: { 1: 5 },
    bound: { [IO_PAGES + 2]: 5 },
    counter: { [COUNTER.free]: 5 },
  };
  for (const columns of [order, changes]) {
    for (const [name, cells] of Object.entries(columns)) {
      const column = view.columns[VIEW[name as keyof typeof VIEW]];
      for (const [index, value] of Object.entries(cells)) if (column) column[Number(index)] = value;
    }
  }
  return view;
}

export type Checked = (typeof SPEC.invariants)[number];

export const invariant = (id: string, reads?: number): Checked =>
  SPEC.invariants.find((each) => each.id === id && (reads === undefined || each.reads.includes(reads))) ??
  expect.fail(`there is no ${id}`);

export function brokenOn(found: Checked, view: View, machine: Machine): string | undefined {
  if (found.form !== 'state' && found.form !== 'end') throw new Error(`${found.id} is not asked of a view`);
  return found.broken(view, machine);
}

/** What an invariant says about a view. */
export const broken = (id: string, changes: Columns, machine: Machine = MACHINE): string | undefined =>
  brokenOn(invariant(id), viewWith(changes), machine);

/** What an invariant of a step says about what the counters were and are. */
export function brokenStep(
  id: string,
  op: string,
  reply: Reply,
  before: Cells,
  after: Cells,
): string | undefined {
  const found = invariant(id);
  if (found.form !== 'step') throw new Error(`${id} is not asked of a step`);
  const was = found.before(viewWith({ counter: before }));
  return found.broken(was, viewWith({ counter: after }), { op, args: {} }, reply, MACHINE);
}
