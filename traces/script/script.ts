/**
 * From a trace to a script: events as calls on a small machine, with the answers that the trace shows. Addresses move
 * together, in their order; offsets inside of pages, sizes and what lies in one block stay. What the events take for
 * granted (memory that was allocated before, domains) is made.
 */
import type { Value } from '../../model/index.ts';
import { FORMAT, type Script } from '../../properties/index.ts';
import type { TraceEvent } from '../event.ts';
import type { TraceFinding } from '../finding.ts';
import { DmaTeller } from './dma.ts';
import { type Claim, Draft, IoPages } from './draft.ts';
import { addressOf, framesOf, isTold, levelOf, memoryOf, PAGE_BYTES, pagesOfEvent } from './events.ts';
import { IommuTeller } from './iommu.ts';
import { type Frames, ScriptMemory } from './memory.ts';

export interface TraceScript {
  readonly script: Script;
  /** What the trace shows of each command: the answer of the kernel that ran. */
  readonly answers: readonly Value[];
  /** The line that each command comes from; 0 where it was made so that the others can be. */
  readonly lines: readonly number[];
  /** Events that no call says, or for which the machine has no room. */
  readonly left: number;
}

/** Of the tables of I/O pages, as on hardware. */
const TABLE_BITS = 9;

/** The events that show a finding; what it takes for granted, its script does too. */
export const scriptOfFinding = ({ check, evidence }: TraceFinding): TraceScript =>
  scriptOfEvents(
    evidence.flatMap(({ event }) => (check === 'unmap-short' ? withMap(event) : [event])),
    { together: check === 'overlap', fromStart: /-unknown$|^unmap-more$/.test(check) },
  );

/** What an unmap took was mapped before, wherever it led. */
const withMap = (event: TraceEvent): readonly TraceEvent[] =>
  event.kind === 'unmap'
    ? [{ ...event, kind: 'map', line: 0, paddr: 0, size: event.unmapped }, event]
    : [event];

export function scriptOfEvents(events: readonly TraceEvent[], claim: Claim = {}): TraceScript {
  const level = levelOf(events);
  const told = events.filter((event) => isTold(event, level));
  const draft = new Draft();
  const memory = memoryOfEvents(told);
  const ioPages = new IoPages(told.flatMap(ioPagesOfEvent));
  const teller =
    level === 'dma'
      ? new DmaTeller(draft, memory, ioPages, claim, devicesOf(told))
      : new IommuTeller(draft, memory, ioPages, claim);
  for (const event of told) teller.tell(event);
  const { commands, answers, lines } = draft;
  const room = Math.ceil(Math.log2(4 * ioPages.count + 4));
  const machine = {
    pages: Math.max(16, 2 ** Math.ceil(Math.log2(2 * memory.pages + 8 * teller.spaces + 2 * teller.tables))),
    pageBytes: PAGE_BYTES,
    orderMax: Math.max(3, memory.orderMax),
    ioBits: Math.log2(PAGE_BYTES) + room,
    tableBits: TABLE_BITS,
    contexts: Math.max(1, teller.spaces),
    devices: Math.max(1, teller.devices),
    sgTables: Math.max(1, teller.tables),
  };
  const script = { format: FORMAT, machine, commands };
  return { script, answers, lines, left: events.length - told.length + draft.left };
}

/** What is allocated, freed or listed as a whole is made of whole blocks; an IOMMU may map a part of one. */
function memoryOfEvents(events: readonly TraceEvent[]): ScriptMemory {
  const whole = events.flatMap((event) => {
    if (event.kind === 'page-alloc' || event.kind === 'page-free') return [pagesOfEvent(event)];
    return event.kind === 'dma-map' || event.kind === 'dma-map-sg' ? memoryOf(event) : [];
  });
  const mapped = events.flatMap((event) => (event.kind === 'map' ? [framesOf(event.paddr, event.size)] : []));
  return new ScriptMemory([...whole, ...mapped], whole);
}

function ioPagesOfEvent(event: TraceEvent): Frames[] {
  if (event.kind === 'map' || event.kind === 'unmap') return [framesOf(event.iova, event.size)];
  if (event.kind !== 'dma-map' && event.kind !== 'dma-map-sg') return [];
  const count = memoryOf(event).reduce((sum, frames) => sum + frames.count, 0);
  return [{ first: framesOf(addressOf(event), 1).first, count }];
}

/** Devices that the DMA API maps something for, in the order of events. */
const devicesOf = (events: readonly TraceEvent[]): readonly string[] => [
  ...new Set(
    events.flatMap((event) =>
      event.kind === 'dma-map' || event.kind === 'dma-map-sg' ? [event.device] : [],
    ),
  ),
];
