import type { View } from '../model/target.ts';

/** Writes one column of a view at a time, and tells the view what it changed. */
export class ColumnWriter {
  private column: Int32Array = new Int32Array(0);
  private from = 0;
  private to = 0;

  /** The next column to write. @throws Error when the view has no such column */
  open(view: View, number: number): this {
    const column = view.columns[number];
    if (column === undefined) throw new Error(`internal error: the view has no column ${number}`);
    this.column = column;
    this.from = column.length;
    this.to = 0;
    return this;
  }

  get length(): number {
    return this.column.length;
  }

  put(index: number, value: number): void {
    if (this.column[index] === value) return;
    this.column[index] = value;
    if (index < this.from) this.from = index;
    if (index >= this.to) this.to = index + 1;
  }

  /** Tells the view. `whole`: what the column held before counts for nothing. */
  close(view: View, number: number, whole: boolean): void {
    const known = (view.touched & (1 << number)) !== 0;
    const from = whole ? 0 : this.from;
    const to = whole ? this.column.length : this.to;
    if (from >= to && !whole) return;
    view.touched |= 1 << number;
    if (view.from === undefined || view.to === undefined) return;
    view.from[number] = known ? Math.min(view.from[number] ?? 0, from) : from;
    view.to[number] = known ? Math.max(view.to[number] ?? 0, to) : to;
  }
}
