/** What came between an unmap and the flush that it needed: wrong in a strict domain, a risk that a lazy one takes. */
import type { Findings } from '../findings.ts';
import { duration, hex } from '../say.ts';
import type { Early, FlushWatch } from './flush-watch.ts';
import type { Suspicions } from './suspicions.ts';

export function tellFlushes(flushes: FlushWatch, findings: Findings, suspicions: Suspicions): void {
  const [first] = flushes.early;
  if (first === undefined) return;
  if (!flushes.reliable) {
    const text = 'pages and addresses that went on after an unmap whose flush is not in the trace';
    findings.tolerate('flush-unseen', text, first.event.line);
    return;
  }
  for (const early of flushes.early) {
    if (early.pfn === undefined) suspicions.add(reused(early));
    else if (flushes.isWrong(early)) suspicions.add(freed(early, early.pfn));
  }
  tellWindow(flushes, findings);
}

/** How long the IOTLB knew pages that were free already: once for the trace, with the longest. */
function tellWindow(flushes: FlushWatch, findings: Findings): void {
  const pages = flushes.early.filter((early) => early.pfn !== undefined && !flushes.isWrong(early));
  const [longest] = pages.toSorted((a, b) => windowOf(b) - windowOf(a));
  if (longest === undefined) return;
  const { unmap, event, flush, mapping, pfn } = longest;
  const time = Number.isFinite(windowOf(longest)) ? `, one of them for ${duration(windowOf(longest))}` : '';
  findings.add({
    ...{ check: 'freed-in-lazy-window', confidence: 'possible', assumptions: ['lazy'] },
    text: `${Math.max(pages.length, flushes.freed)} pages were freed before the IOTLB was told to forget them${time}`,
    subject: { ...(pfn === undefined ? {} : { pfn }), iova: mapping.iova, size: mapping.size },
    evidence: [
      { role: 'unmapped here', event: unmap },
      { role: 'freed here', event },
      ...(flush === undefined ? [] : [{ role: 'flushed here', event: flush }]),
    ],
  });
}

const windowOf = ({ event, flush }: Early): number =>
  flush === undefined ? Number.POSITIVE_INFINITY : flush.time - event.time;

function freed({ mapping, unmap, event, flush }: Early, pfn: number): Parameters<Suspicions['add']>[0] {
  return {
    ...{ check: 'freed-before-flush', mapping, after: unmap, event, provable: false },
    text: `page ${hex(pfn)} was freed before the IOTLB was told to forget I/O address ${hex(unmap.iova)}`,
    subject: { iova: unmap.iova, size: unmap.size, pfn },
    evidence: [
      { role: 'unmapped here', event: unmap },
      { role: 'freed here', event },
      ...(flush === undefined ? [] : [{ role: 'flushed here', event: flush }]),
    ],
  };
}

function reused({ mapping, unmap, event, flush }: Early): Parameters<Suspicions['add']>[0] {
  const space = mapping.space ?? '';
  return {
    ...{ check: 'reused-before-flush', mapping, after: unmap, event, provable: false },
    text: `I/O address ${hex(unmap.iova)} of ${space} was mapped again before the IOTLB was told to forget it`,
    subject: { iova: unmap.iova, size: unmap.size },
    evidence: [
      { role: 'unmapped here', event: unmap },
      { role: 'mapped again here', event },
      ...(flush === undefined ? [] : [{ role: 'flushed here', event: flush }]),
    ],
  };
}
