/** Finds mappings by what engineers have in hand: an address from a log, a device, a task. */
import { PAGE } from '../traces/mapping.ts';
import type { Bar } from '../traces/report.ts';

/**
 * Whether a mapping is meant. A hexadecimal number is an I/O address, a physical address, or a page frame in
 * physical memory; any text is part of the name of a device or a task.
 */
export function isMeant(bar: Bar, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return false;
  const has = (start: number | undefined, address: number): boolean =>
    start !== undefined && address >= start && address < start + bar.size;
  if (/^(0x)?[0-9a-f]+$/.test(wanted)) {
    const value = Number.parseInt(wanted, 16);
    if (has(bar.iova, value) || has(bar.paddr, value) || has(bar.paddr, value * PAGE)) return true;
  }
  return [bar.space ?? '', bar.task].some((name) => name.toLowerCase().includes(wanted));
}
