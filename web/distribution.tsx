/** A histogram by powers of two, as a table with bars. */
import type { VNode } from 'preact';
import type { Histogram } from '../traces/report.ts';
import { size } from '../traces/say.ts';
import type { Clock } from './clock.ts';
import { count } from './text.ts';

interface Props {
  readonly title: string;
  readonly histogram: Histogram;
  readonly clock: Clock;
}

export function Distribution({ title, histogram, clock }: Props): VNode | null {
  const { counts, unit, least, median, most: largest } = histogram;
  const told = unit === 'bytes' ? size : (time: number) => clock.lasting(time);
  const from = counts.findIndex((some) => some > 0);
  if (from < 0) return null;
  const most = Math.max(...counts);
  const until = counts.findLastIndex((some) => some > 0) + 1;
  return (
    <details open>
      <summary>
        {title}: median {told(median)}, from {told(least)} to {told(largest)}
      </summary>
      <table class="histogram">
        <thead>
          <tr>
            <th scope="col">from</th>
            <th scope="col">mappings</th>
            <th scope="col">
              <span class="hidden">share of the most</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {counts.slice(from, until).map((some, at) => (
            <tr key={at}>
              <th scope="row">{told(2 ** (from + at))}</th>
              <td>{count(some)}</td>
              <td>
                <div class="bar" style={{ width: `${(100 * some) / most}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
