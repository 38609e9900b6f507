/** Targets that tell what they are asked, what they reply, and what of their view has changed. */
import {
  type Call,
  type Machine,
  type RemoteTarget,
  type Reply,
  type SlotCall,
  SPEC,
  type Target,
  type View,
  type ViewColumn,
} from '../model/index.ts';
import { showCall, showReply } from '../properties/index.ts';

type Write = (line: string) => void;

/** Changes of one column that are told; of a large mapping the first ones say enough. */
const CHANGES_MAX = 12;

/** A target in this process that writes a line a call, and one for each change. */
export function tracing(target: Target<Machine>, write: Write): Target<Machine> {
  let before: readonly Int32Array[] = [];
  let number = 0;
  const told = (call: Call, reply: Reply): Reply => {
    write(`${String(++number).padStart(3)}  ${showCall(call)} -> ${showReply(reply)}${firedText(reply)}`);
    return reply;
  };
  return {
    name: target.name,
    capabilities: target.capabilities,
    ...(target.calls === undefined ? {} : { calls: target.calls }),
    ...(target.undoable === undefined ? {} : { undoable: target.undoable }),
    ...(target.concurrent === undefined ? {} : { concurrent: tracingCalls(target.concurrent, told, write) }),
    boot(machine) {
      number = 0;
      before = shownAtBoot(target, machine);
      target.boot(machine);
    },
    apply: (call) => told(call, target.apply(call)),
    observe(view) {
      target.observe(view);
      for (const line of changes(before, view)) write(`       ${line}`);
      before = view.columns.map((column) => column.slice());
    },
  };
}

/** What the target shows before the first call. Booted for this alone: what it has shown, it may not show again. */
function shownAtBoot(target: Target<Machine>, machine: Machine): readonly Int32Array[] {
  target.boot(machine);
  const columns = SPEC.view.map(({ length }) => new Int32Array(length(machine)));
  target.observe({ columns, shown: 0, touched: 0 });
  return columns;
}

type Concurrent = NonNullable<Target<Machine>['concurrent']>;

/** Calls that may stop on their way are told when they start, when they stop, and when they end. */
function tracingCalls(
  concurrent: Concurrent,
  told: (call: Call, reply: Reply) => Reply,
  write: Write,
): Concurrent {
  const running = new Map<string, Call>();
  const tell = (actor: string, result: ReturnType<Concurrent['resume']>): typeof result => {
    const call = running.get(actor) ?? { op: '', args: {} };
    if (!('point' in result)) return told(call, result);
    write(`     ${actor}: ${call.op} stops at its switch point ${result.point}`);
    return result;
  };
  return {
    ...concurrent,
    start(actor, call) {
      running.set(actor, call);
      return tell(actor, concurrent.start(actor, call));
    },
    resume: (actor) => tell(actor, concurrent.resume(actor)),
  };
}

/** A target elsewhere: calls and replies as they cross the wire. */
export function tracingRemote(target: RemoteTarget<Machine>, write: Write): RemoteTarget<Machine> {
  return {
    name: target.name,
    capabilities: target.capabilities,
    ...(target.calls === undefined ? {} : { calls: target.calls }),
    boot: (machine) => target.boot(machine),
    async batch(calls) {
      const replies = await target.batch(calls);
      for (const [at, call] of calls.entries()) write(remoteLine(at, call, replies[at] ?? 'skipped'));
      return replies;
    },
    close: () => target.close(),
  };
}

function remoteLine(at: number, { op, args }: SlotCall, reply: Reply | 'skipped'): string {
  const answer = reply === 'skipped' ? reply : `${showReply(reply)}${firedText(reply)}`;
  return `${String(at + 1).padStart(3)}  ${op}(${JSON.stringify(args)}) -> ${answer}`;
}

export const firedText = ({ fired = [] }: Reply): string =>
  fired.length === 0 ? '' : `, failed: ${fired.join(' ')}`;

/** What changed, one line for a run of neighbours that changed alike: `kind[3..6] free -> a buffer`. */
function changes(before: readonly Int32Array[], view: View): string[] {
  return SPEC.view.flatMap((column, at) => {
    const lines = columnChanges(
      column,
      before[at] ?? new Int32Array(0),
      view.columns[at] ?? new Int32Array(0),
    );
    const rest = lines.length - CHANGES_MAX;
    return rest <= 0 ? lines : [...lines.slice(0, CHANGES_MAX), `${column.name}: and ${rest} more changes`];
  });
}

function columnChanges(column: ViewColumn<Machine>, old: Int32Array, now: Int32Array): string[] {
  const lines: string[] = [];
  const show = column.show ?? String;
  for (let at = 0; at < now.length; at++) {
    const from = old[at] ?? 0;
    const to = now[at] ?? 0;
    if (from === to) continue;
    const first = at;
    while (old[at + 1] === from && now[at + 1] === to) at++;
    const place = first === at ? `${at}` : `${first}..${at}`;
    lines.push(`${column.name}[${place}] ${show(from)} -> ${show(to)}`);
  }
  return lines;
}
