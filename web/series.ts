/** Two figures over time as uPlot wants them: one column of times for both. */
import type { Series } from '../traces/report.ts';

/** Times in nanoseconds from the first event; a figure stays what it was until its next value. */
export function columnsOf(all: readonly Series[], first: number, end: number): number[][] {
  const times = new Set(all.flatMap((series) => series.times.map((time) => time - first)));
  const sorted = [...times.add(0).add(end)].toSorted((a, b) => a - b);
  return [sorted, ...all.map((series) => heldAt(series, first, sorted))];
}

function heldAt({ times, values }: Series, first: number, wanted: readonly number[]): number[] {
  let at = -1;
  return wanted.map((time) => {
    while ((times[at + 1] ?? Infinity) - first <= time) at += 1;
    return values[at] ?? 0;
  });
}
