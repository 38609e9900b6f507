/** What a single line of `iommu:map` or `iommu:unmap` says by itself. */
import type { MapEvent, UnmapEvent } from '../event.ts';
import type { Findings } from '../findings.ts';
import { PAGE } from '../mapping.ts';
import { PAGES_MAX } from './page-tree.ts';

/** One above the highest address. */
const ADDRESSES = 2 ** 64;

/** Whether a map is to be followed up: its range can be one. */
export function checkedMap(event: MapEvent, findings: Findings): boolean {
  const { iova, paddr, size, line } = event;
  const subject = { iova, size };
  const evidence = [{ role: 'mapped here', event }];
  if (iova % PAGE !== 0 || paddr % PAGE !== 0 || size % PAGE !== 0)
    findings.add({
      ...{ check: 'alignment', confidence: 'certain', assumptions: [], subject, evidence },
      text: `0x${iova.toString(16)} leads to 0x${paddr.toString(16)} for ${size} bytes, which are not whole pages`,
    });
  if (Math.max(iova, paddr) + size > ADDRESSES)
    findings.add({
      ...{ check: 'wraps', confidence: 'certain', assumptions: [], subject, evidence },
      text: `${size} bytes from 0x${Math.max(iova, paddr).toString(16)} on end beyond 64 bits`,
    });
  if (size === 0) findings.tolerate('empty-map', 'maps of no bytes', line);
  else if (size / PAGE > PAGES_MAX) findings.tolerate('huge-map', 'maps of more than any machine has', line);
  return size > 0 && size / PAGE <= PAGES_MAX;
}

/** Whether an unmap took anything. What it took is the tables' own answer. */
export function checkedUnmap(event: UnmapEvent, findings: Findings): boolean {
  const { iova, size, unmapped, line } = event;
  const at = `0x${iova.toString(16)}`;
  const subject = { iova, size };
  const evidence = [{ role: 'unmapped here', event }];
  if (size === 0) findings.tolerate('empty-map', 'maps and unmaps of no bytes', line);
  else if (unmapped === 0)
    findings.add({
      ...{ check: 'unmap-unknown', confidence: 'certain', assumptions: [], subject, evidence },
      text: `nothing was mapped at ${at}, where ${size} bytes were to be unmapped`,
    });
  else if (unmapped < size)
    findings.add({
      ...{ check: 'unmap-short', confidence: 'certain', assumptions: [], subject, evidence },
      text: `only ${unmapped} of the ${size} bytes to be unmapped were mapped from ${at} on`,
    });
  else if (unmapped > size)
    findings.add({
      ...{ check: 'unmap-more', confidence: 'possible', assumptions: ['large-page'], subject, evidence },
      text: `${unmapped} bytes were unmapped from ${at} on, where ${size} were to be`,
    });
  return unmapped > 0;
}
