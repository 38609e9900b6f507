/**
 * What a call that failed has changed of what a target shows, beyond what may change. Pages that nobody holds may
 * change hands, empty tables may stay, translations may leave the IOTLB, and clean copies the cache.
 */
import { isKept } from './contents.ts';
import type { Machine } from './machine.ts';
import type { LeftBehind } from './spec.ts';
import type { View } from './target.ts';
import { COUNTER, isUnownedKind, VIEW, VIEW_COLUMNS } from './view.ts';

const left = (clause: string, detail: string): LeftBehind => ({ serves: 'C4', clause, detail });

type May = (before: number, after: number) => boolean;

const mayGo: May = (_before, after) => after === 0;

/** By number of the column; in all others nothing may change. */
const MAY: Readonly<Record<number, May>> = {
  [VIEW.kind]: (before, after) => isUnownedKind(before) && isUnownedKind(after),
  [VIEW.freeOrder]: () => true,
  [VIEW.line]: isKept,
  [VIEW.iotlb]: mayGo,
  [VIEW.stale]: mayGo,
  [VIEW.counter]: () => true,
};

/** The first column with a change that may not be, and the change in words. */
export function leftBehind(
  before: readonly Int32Array[],
  after: View,
  machine: Machine,
): LeftBehind | undefined {
  for (const [number, { name, show = String }] of VIEW_COLUMNS.entries()) {
    if ((after.shown & (1 << number)) === 0) continue;
    const index = firstChange(number, before, after, machine);
    if (index < 0) continue;
    const [from = 0, to = 0] = [before[number]?.[index], after.columns[number]?.[index]];
    return left(name, `${name}[${index}] was ${show(from)} before the call, and is ${show(to)} after it`);
  }
  return missing(before, after);
}

function firstChange(
  number: number,
  before: readonly Int32Array[],
  { columns }: View,
  { pageBytes, lineBytes }: Machine,
): number {
  const may = MAY[number] ?? (() => false);
  const old = before[number] ?? [];
  const kind = before[VIEW.kind] ?? [];
  const isNobodys = (line: number): boolean =>
    isUnownedKind(kind[Math.floor((line * lineBytes) / pageBytes)] ?? 0);
  return (columns[number] ?? []).findIndex((after, index) => {
    const from = old[index] ?? 0;
    return after !== from && !(number === VIEW.line && isNobodys(index)) && !may(from, after);
  });
}

const KEPT = ['free', 'parked', 'pooled', 'deferred', 'table'] as const;

/** Pages and kernel addresses that were to be had before the call, and are not any more. */
function missing(before: readonly Int32Array[], { columns, shown }: View): LeftBehind | undefined {
  if ((shown & (1 << VIEW.counter)) === 0) return undefined;
  const counter = (column: Int32Array | undefined, name: keyof typeof COUNTER): number =>
    column?.[COUNTER[name]] ?? 0;
  const [old, now] = [before[VIEW.counter], columns[VIEW.counter]];
  const lost = KEPT.reduce((sum, name) => sum + counter(old, name) - counter(now, name), 0);
  if (lost > 0) return left('counter', `${lost} pages are neither free nor tables any more`);
  const used = counter(now, 'vmallocUsed') - counter(old, 'vmallocUsed');
  return used > 0 ? left('counter', `${used} more pages of kernel addresses are in use`) : undefined;
}
