/** How devices use their I/O addresses. */
import type { VNode } from 'preact';
import type { ToldReport } from '../traces/told.ts';

export function SpaceTable({ spaces }: Pick<ToldReport, 'spaces'>): VNode | null {
  const [columns = [], ...rows] = spaces;
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>I/O addresses by device or domain</summary>
      <table class="spaces">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, at) => (
                <td key={columns[at + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
