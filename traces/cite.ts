/** Events as evidence. Events keep what is checked; of the rest of a line nothing is made up. */
import type { BufferEvent, FlushEvent, TraceEvent } from './event.ts';
import { hex } from './say.ts';
import { keptBody, writeTime } from './write.ts';

/** What was read, in the words of ftrace: `dd-200 [000] 1.009062: mm_page_free: pfn=0x1064 order=0`. */
export function citeEvent(event: TraceEvent): string {
  const cpu = `[${String(event.cpu).padStart(3, '0')}]`;
  if (event.kind === 'lost') return `${cpu} ${lostBody(event)}`;
  return `${event.task}-${event.pid} ${cpu} ${writeTime(event.time).trim()}: ${bodyOf(event)}`;
}

function bodyOf(event: TraceEvent): string {
  switch (event.kind) {
    case 'flush':
      return flushBody(event);
    case 'buffer':
      return bufferBody(event);
    case 'dma-failed':
      return `failed for ${event.device}`;
    case 'other':
      return event.name;
    default:
      return keptBody(event);
  }
}

const WORDS = { overrun: 'lost', unreadable: 'unreadable', restart: 'another recording' } as const;

const lostBody = ({ cause, count }: TraceEvent & { readonly kind: 'lost' }): string =>
  `${WORDS[cause]}${count === undefined ? '' : `: ${count} events`}`;

/** Several events, and descriptors of several types, become one kind. */
function flushBody({ step, unit, domain, iova, size }: FlushEvent): string {
  const name = step === 'submitted' ? 'qi_submit: iotlb_inv' : 'cache_tag_flush:';
  const whose = domain === undefined ? 'all' : `did ${domain}`;
  const range =
    iova === undefined || size === undefined ? '' : ` addr ${hex(iova)} pages ${hex(size / 4096)}`;
  return `${name} ${unit} ${whose}${range}`;
}

function bufferBody({ action, buffer, attachment, device, size }: BufferEvent): string {
  const fields = Object.entries({ buffer, attachment, device, size: size ?? '' });
  return `buffer ${action}:${fields.map(([key, value]) => (value === '' ? '' : ` ${key}=${value}`)).join('')}`;
}
