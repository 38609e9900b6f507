/**
 * Child processes that must not outlive this one. Each leads a process group of its own, so that what it started
 * itself dies with it; a group of its own also means that Ctrl-C in a terminal does not reach it.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Process ids of the leaders that have not ended. */
const live = new Set<number>();

/** From now on the group dies when this process ends; SIGKILL alone leaves it no time for that. */
export function adopt(leader: number): void {
  if (live.size === 0) listen();
  live.add(leader);
}

/** The leader has ended: whatever is left of its group is killed, and the group forgotten. */
export function disown(leader: number): void {
  if (!live.delete(leader)) return;
  killGroup(leader);
  if (live.size === 0) unlisten();
}

/** Kills a whole group. That nobody is left in it is no error. */
export function killGroup(leader: number): void {
  // Where there are no process groups, the leader alone can be named.
  for (const target of [-leader, leader]) {
    try {
      process.kill(target, 'SIGKILL');
      return;
    } catch {}
  }
}

function killAll(): void {
  for (const leader of live) killGroup(leader);
}

/** Without a listener the signal would end this process, and `exit` would not be emitted: ends it, children first. */
function onSignal(signal: NodeJS.Signals): void {
  const othersDecide = process.listenerCount(signal) > 1;
  if (othersDecide) return;
  killAll();
  unlisten();
  process.kill(process.pid, signal);
}

function listen(): void {
  process.on('exit', killAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unlisten(): void {
  process.off('exit', killAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}
