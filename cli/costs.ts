/** What a choice costs: pages and kernel addresses that a buffer takes beside its own pages. */
import { COUNTER, type Machine, SPEC, VIEW, type View } from '../model/index.ts';
import { machineOf, type ScriptMachine } from '../properties/index.ts';
import { type Builtin, builtin } from '../targets/builtin.ts';

export interface Cost {
  /** Pages for the list of the buffer's pages, its scatter-gather table, and kernel page tables. */
  readonly pages: number;
  /** Pages of the vmalloc space, guard pages included. */
  readonly addresses: number;
}

/** Pages of the buffer that costs are told of: its page array is larger than a page of 64 bytes. */
export const COST_PAGES = 12;

/** What costs depend on; of all else the machine that they are told of has enough. */
const SIZES = ['pageBytes', 'lineBytes', 'pageArrayEntryBytes', 'tableBits'];
/** What must go with those. */
const SPACE = ['ioBits', 'reservedIoPages', 'contexts'];
const KEPT: ReadonlySet<string> = new Set([...SIZES, ...SPACE, 'policies']);

/** The cost of one buffer on an empty machine with these sizes and policies, or undefined: it cannot be had. */
export function costOf(fixed: ScriptMachine): Cost | undefined {
  const sizes = Object.entries(fixed).filter(([name]) => KEPT.has(name));
  const machine = machineOf(SPEC, { ...Object.fromEntries(sizes), parked: 0 }) as Machine;
  const target = builtin();
  target.boot(machine);
  const before = counters(target, machine);
  if (!allocates(target, COST_PAGES * machine.pageBytes)) return undefined;
  const after = counters(target, machine);
  const taken = (counter: number): number => (after[counter] ?? 0) - (before[counter] ?? 0);
  return { pages: -taken(COUNTER.free) - COST_PAGES, addresses: taken(COUNTER.vmallocUsed) };
}

/** The largest single buffer, in pages, that a machine has when it has just booted. */
export function largestBuffer(fixed: ScriptMachine): number {
  const machine = machineOf(SPEC, fixed) as Machine;
  const target = builtin();
  let least = 0;
  let most = machine.pages;
  while (least < most) {
    const pages = Math.ceil((least + most) / 2);
    target.boot(machine);
    if (allocates(target, pages * machine.pageBytes)) least = pages;
    else most = pages - 1;
  }
  return least;
}

function allocates(target: Builtin, bytes: number): boolean {
  const reply = target.apply({ op: 'ion_client_create', args: {} });
  const client = 'ok' in reply ? Number(reply.ok['client']) : -1;
  const args = { client, bytes, heaps: ['iommu'], flags: 'uncached' };
  return 'ok' in target.apply({ op: 'ion_alloc', args });
}

function counters(target: Builtin, machine: Machine): readonly number[] {
  const view: View = {
    columns: SPEC.view.map(({ length }) => new Int32Array(length(machine))),
    shown: 0,
    touched: 0,
  };
  target.observe(view);
  return [...(view.columns[VIEW.counter] ?? [])];
}
