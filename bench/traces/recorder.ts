/** What a target does while it runs a script, as the events that a kernel would have written. */
import { type Call, type Machine, type Reply, SPEC, type Target, type View } from '../../model/index.ts';
import { pageOf } from '../../model/units.ts';
import { KIND, VIEW } from '../../model/view.ts';
import { compile, machineOf, type Script, Stepper } from '../../properties/index.ts';
import { consume, resolve, type Slots, type Step } from '../../properties/step.ts';
import { builtin } from '../../targets/builtin.ts';
import { TraceChecker, type TraceEvent, type TraceReport, writeTrace } from '../../traces/index.ts';

const PAGE = 4096;
/** Page frames of the trace start here: no I/O address is that of its memory. */
const FIRST_FRAME = 0x1000;
/** Between two events, in nanoseconds: nobody takes their order for an accident. */
const STEP = 100_000;

/** Kinds of pages that the page allocator holds: all others were handed out, whoever holds them now. */
const FREE: ReadonlySet<number> = new Set<number>([KIND.FREE, KIND.PARKED, KIND.BOTH]);
/** Whoever has such a page had it from the page allocator, and not from whoever had it before. */
const FRESH: ReadonlySet<number> = new Set<number>([KIND.META, KIND.TABLE, KIND.OCCUPIED, KIND.MOVABLE]);

/** Commands, and those that give all back, that the specification lets a caller make. */
export function madeOf(script: Script): ReadonlySet<number> {
  const target = builtin();
  const stepper = new Stepper(SPEC, target);
  target.boot(stepper.begin(script));
  stepper.lockstep.refresh(target);
  const made = new Set<number>();
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    made.add(stepper.at);
    const finding = stepper.give(target.apply(call), target);
    if (finding !== undefined) throw new Error(`builtin is wrong: ${finding.detail}`);
  }
  return made;
}

/** What a kernel would have written: its tables and its page allocator, and what it was asked for. */
export interface Recording {
  readonly events: readonly TraceEvent[];
  /** Whether some device reached memory that nobody holds, after some call: I2, asked of what the target showed. */
  readonly broken: boolean;
  /** The same of pages that were given back to the page allocator: what a trace can know. */
  readonly freed: boolean;
}

/** Makes the calls of a script on a target, whether or not it answers as it should. */
export function record(target: Target<Machine>, script: Script, made = madeOf(script)): Recording {
  const machine = machineOf(SPEC, script.machine);
  const recorder = new Recorder(target, machine);
  const slots: Slots = { values: [], consumed: [] };
  for (const [at, step] of compile(SPEC, script, machine).entries()) {
    const args = made.has(at) ? resolve(step, slots) : undefined;
    if (args === undefined) continue;
    const { op, fail } = step;
    const reply = recorder.make(fail === undefined ? { op, args } : { op, args, fail });
    if (reply === undefined) break;
    if ('ok' in reply) keep(step, at, slots, reply);
  }
  return recorder;
}

function keep(step: Step, at: number, slots: Slots, { ok }: Extract<Reply, { readonly ok: unknown }>): void {
  slots.values[at] = ok;
  consume(step, slots);
}

class Recorder implements Recording {
  readonly events: TraceEvent[] = [];
  broken = false;
  freed = false;
  readonly #target: Target<Machine>;
  readonly #machine: Machine;
  readonly #view: View;
  readonly #ioPages: number;
  /** Pages that were given back before: of others a trace cannot know that they are free. */
  readonly #returned = new Set<number>();
  #before: readonly Int32Array[];

  constructor(target: Target<Machine>, machine: Machine) {
    this.#target = target;
    this.#machine = machine;
    this.#ioPages = 2 ** machine.ioBits / machine.pageBytes;
    const columns = SPEC.view.map((column) => new Int32Array(column.length(machine)));
    this.#view = { columns, shown: 0, touched: 0 };
    target.boot(machine);
    target.observe(this.#view);
    this.#before = this.#kept();
    this.#begin();
  }

  /** A mapping of somebody else, which comes and goes: whoever reads the trace sees that unmaps are recorded. */
  #begin(): void {
    const range = { iova: 0, size: PAGE, device: 'another' };
    this.#add({ kind: 'map', ...range, paddr: PAGE });
    this.#add({ kind: 'unmap', ...range, unmapped: PAGE });
  }

  /** Undefined: the target failed. */
  make(call: Call): Reply | undefined {
    try {
      const reply = this.#target.apply(call);
      this.#view.touched = -1;
      this.#target.observe(this.#view);
      this.#note(call);
      return reply;
    } catch {
      return undefined;
    }
  }

  /** Unmaps come first and maps last: nobody could do better with one call. */
  #note(call: Call): void {
    const [reach, kind] = [this.#column(VIEW.reach), this.#column(VIEW.kind)];
    this.#unmaps(call, reach);
    for (const [pfn, now] of kind.now.entries()) this.#page(pfn, kind.before[pfn] ?? 0, now);
    for (const [at, entry] of reach.now.entries())
      if (entry !== 0 && pageOf(entry) !== pageOf(reach.before[at] ?? 0))
        this.#add({ kind: 'map', ...this.#place(at), paddr: frame(pageOf(entry)) * PAGE });
    this.#before = this.#kept();
    this.#judge(reach.now, kind.now);
  }

  /** The columns that are compared. */
  #kept(): readonly Int32Array[] {
    const { columns } = this.#view;
    return columns.map((column, at) => (at === VIEW.reach || at === VIEW.kind ? column.slice() : NONE));
  }

  #column(number: number): { readonly before: Int32Array; readonly now: Int32Array } {
    return { before: this.#before[number] ?? NONE, now: this.#view.columns[number] ?? NONE };
  }

  /**
   * What `iommu_unmap` was to take stands in one event, with what it took; what else is gone in others. What is mapped
   * over has no event.
   */
  #unmaps(
    { op, args }: Call,
    { before, now }: { readonly before: Int32Array; readonly now: Int32Array },
  ): void {
    const gone = [...before.keys()].filter((at) => before[at] !== 0 && now[at] === 0);
    const asked = op === 'iommu_unmap' ? this.#asked(args as unknown as Asked, before) : [];
    const taken = asked.findIndex((at) => !gone.includes(at));
    const [first] = asked;
    if (first !== undefined) {
      const unmapped = (taken < 0 ? asked.length : taken) * PAGE;
      this.#add({ kind: 'unmap', ...this.#place(first), size: asked.length * PAGE, unmapped });
    }
    const told = new Set(taken < 0 ? asked : asked.slice(0, taken));
    for (const at of gone)
      if (!told.has(at)) this.#add({ kind: 'unmap', ...this.#place(at), unmapped: PAGE });
  }

  /** I/O pages that are mapped from there on, up to the first hole. */
  #asked({ domain, iova, bytes }: Asked, before: Int32Array): readonly number[] {
    const [first, count] = [iova / this.#machine.pageBytes, bytes / this.#machine.pageBytes];
    if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0) return [];
    const all = Array.from(
      { length: Math.max(0, Math.min(count, this.#ioPages - first)) },
      (_, at) => domain * this.#ioPages + first + at,
    );
    const hole = all.findIndex((at) => (before[at] ?? 0) === 0);
    return hole < 0 ? all : all.slice(0, hole);
  }

  #page(pfn: number, before: number, now: number): void {
    if (before === now) return;
    const returned = !FREE.has(before) && (FREE.has(now) || FRESH.has(now));
    const page = { pfn: frame(pfn), order: 0 };
    if (returned) {
      this.#returned.add(pfn);
      this.#add({ kind: 'page-free', ...page, batched: false });
    }
    if (!FREE.has(now) && (FREE.has(before) || returned))
      this.#add({ kind: 'page-alloc', ...page, gfp: 'GFP_KERNEL' });
  }

  #place(at: number): { readonly iova: number; readonly size: number; readonly device: string } {
    return {
      iova: (at % this.#ioPages) * PAGE,
      size: PAGE,
      device: `context${Math.floor(at / this.#ioPages)}`,
    };
  }

  #add(event: object): void {
    const line = this.events.length + 1;
    this.events.push({ line, time: line * STEP, cpu: 0, task: 'ionclad', pid: 1, ...event } as TraceEvent);
  }

  #judge(reach: Int32Array, kind: Int32Array): void {
    this.#view.touched = -1;
    this.broken ||= I2.some((invariant) => invariant.broken(this.#view, this.#machine) !== undefined);
    const isFreed = (page: number): boolean => this.#returned.has(page) && FREE.has(kind[page] ?? -1);
    this.freed ||= reach.some((entry) => entry !== 0 && isFreed(pageOf(entry)));
  }
}

interface Asked {
  readonly domain: number;
  readonly iova: number;
  readonly bytes: number;
}

const NONE = new Int32Array(0);

const frame = (pfn: number): number => FIRST_FRAME + pfn;

const I2 = SPEC.invariants.flatMap((each) =>
  each.id === 'I2' && each.form === 'state' && each.reads.includes(VIEW.reach) ? [each] : [],
);

/** What is found in a recording, as it is written and read by others. */
export function checked({ events }: Pick<Recording, 'events'>): TraceReport {
  const checker = new TraceChecker({ file: 'recording', mode: 'strict' });
  for (const line of writeTrace(events).split('\n')) checker.line(line);
  return checker.end();
}
