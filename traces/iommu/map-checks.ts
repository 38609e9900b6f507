/** What a single line of `iommu:map` or `iommu:unmap` says by itself. */
import type { MapEvent, UnmapEvent } from '../event.ts';
import type { Evidence } from '../finding.ts';
import type { Findings } from '../findings.ts';
import { PAGE } from '../mapping.ts';
import { PAGES_MAX } from './page-tree.ts';

const CERTAIN: { readonly confidence: 'certain'; readonly assumptions: readonly [] } = {
  confidence: 'certain',
  assumptions: [],
};

/** One above the highest address. */
const ADDRESSES = 2 ** 64;

/** Whether a map is to be followed up: its range can be one. */
export function checkedMap(event: MapEvent, findings: Findings): boolean {
  const { iova, paddr, size, line } = event;
  if (!isWhole(iova) || !isWhole(paddr) || !isWhole(size))
    findings.add({
      ...{ check: 'alignment', ...CERTAIN, subject: { iova, size }, evidence: mappedHere(event) },
      text: `0x${iova.toString(16)} leads to 0x${paddr.toString(16)} for ${size} bytes, which are not whole pages`,
    });
  if (Math.max(iova, paddr) + size > ADDRESSES)
    findings.add({
      ...{ check: 'wraps', ...CERTAIN, subject: { iova, size }, evidence: mappedHere(event) },
      text: `${size} bytes from 0x${Math.max(iova, paddr).toString(16)} on end beyond 64 bits`,
    });
  if (size === 0) findings.tolerate('empty-map', 'maps of no bytes', line);
  else if (size / PAGE > PAGES_MAX) findings.tolerate('huge-map', 'maps of more than any machine has', line);
  return size > 0 && size / PAGE <= PAGES_MAX;
}

/** Whether an unmap took anything. What it took is the tables' own answer. */
export function checkedUnmap(event: UnmapEvent, findings: Findings): boolean {
  if (event.size === 0) findings.tolerate('empty-map', 'maps and unmaps of no bytes', event.line);
  else if (event.unmapped !== event.size) tellUnmap(event, findings);
  return event.unmapped > 0;
}

/** It took more or less than it was to. */
function tellUnmap(event: UnmapEvent, findings: Findings): void {
  const { iova, size, unmapped } = event;
  const at = `0x${iova.toString(16)}`;
  const subject = { iova, size };
  const evidence = [{ role: 'unmapped here', event }];
  if (unmapped === 0)
    findings.add({
      ...{ check: 'unmap-unknown', ...CERTAIN, subject, evidence },
      text: `nothing was mapped at ${at}, where ${size} bytes were to be unmapped`,
    });
  else if (unmapped < size)
    findings.add({
      ...{ check: 'unmap-short', ...CERTAIN, subject, evidence },
      text: `only ${unmapped} of the ${size} bytes to be unmapped were mapped from ${at} on`,
    });
  else
    findings.add({
      ...{ check: 'unmap-more', confidence: 'possible', assumptions: ['large-page'], subject, evidence },
      text: `${unmapped} bytes were unmapped from ${at} on, where ${size} were to be`,
    });
}

/** Whether a number of bytes is one of pages; far quicker than a remainder above 2^31. */
const isWhole = (bytes: number): boolean => Math.floor(bytes / PAGE) * PAGE === bytes;

const mappedHere = (event: MapEvent): readonly Evidence[] => [{ role: 'mapped here', event }];
