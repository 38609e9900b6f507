/** What a trace can show and what not, from what was heard of it: the frame for everything else that is told. */
import type { EventKind } from './event.ts';
import type { Heard } from './read/heard.ts';
import type { Coverage, Lost, Mode, Sight } from './report.ts';
import { duration } from './say.ts';

export interface Known {
  readonly heard: Heard;
  readonly kinds: ReadonlyMap<EventKind, number>;
  readonly coverage: Coverage;
  readonly lost: Lost;
  /** Nanoseconds between the first event and the first mapping. */
  readonly untilBirth: number | undefined;
  readonly mode: Mode | 'unknown';
  readonly modeReason: string;
}

/** One way of looking: the kinds of events it takes, all or any one, and what is seen by it. */
interface View {
  readonly kinds: readonly EventKind[];
  readonly any?: true;
  /** It shows nothing where none of these is there either. */
  readonly over?: readonly EventKind[];
  /** What is looked for, in the middle of a sentence. */
  readonly shows: string;
  /** A sentence for where the events are missing. */
  readonly without: string;
  readonly enable: readonly string[];
  /** Not worth a place in the verdict: it makes other views surer. */
  readonly helps?: true;
}

/** What drivers map and unmap. */
const DRIVERS: readonly EventKind[] = ['dma-map', 'dma-map-sg', 'dma-alloc', 'dma-unmap', 'dma-unmap-sg'];

/** What makes mappings of which the memory is known. */
const MAPS: readonly EventKind[] = ['map', 'dma-map', 'dma-map-sg'];

const VIEWS: readonly View[] = [
  {
    kinds: ['map', 'unmap'],
    shows: 'wrong unmaps',
    without: 'what an IOMMU maps is not seen, or never unmapped: no page tables are followed',
    enable: ['iommu:map', 'iommu:unmap'],
  },
  {
    kinds: ['page-alloc', 'page-free'],
    over: MAPS,
    shows: 'pages freed while mapped',
    without: 'pages freed or handed out while they are mapped cannot be seen',
    enable: ['kmem:mm_page_alloc', 'kmem:mm_page_free'],
  },
  {
    kinds: ['dma-map', 'dma-map-sg', 'dma-alloc'],
    any: true,
    shows: 'overlaps, leaks or wrong calls of dma-mapping',
    without:
      'no device is named for a mapping, so overlaps, leaks and what drivers do wrong are not seen (since Linux 6.12)',
    enable: ['dma'],
  },
  {
    kinds: ['flush'],
    shows: 'flushes of the IOTLB',
    without: 'when the IOTLB forgets is not seen; so whether an unmap waits for it is unknown',
    enable: ['intel_iommu'],
    helps: true,
  },
  {
    kinds: ['attach', 'group-add'],
    any: true,
    shows: 'which devices share a group',
    without: 'which devices share a group is not told; it is decided at boot or hot plug',
    enable: ['iommu:attach_device_to_domain', 'iommu:add_device_to_group'],
    helps: true,
  },
  {
    kinds: ['fault'],
    shows: 'faults of devices',
    without: 'no device had a fault, or the event was off',
    enable: ['iommu:io_page_fault'],
    helps: true,
  },
];

export function sightOf(known: Known): Sight {
  const { heard, kinds, lost, mode, modeReason } = known;
  const missing = VIEWS.filter((view) => !isThere(view, kinds));
  return {
    ...{ seen: byCount(heard.seen), unknown: byCount(heard.unknown) },
    blind: missing.map(({ without, enable }) => `no ${enable.map(nameOf).join(', ')}: ${without}`),
    enable: missing.flatMap(({ enable }) => enable),
    ...{ start: startOf(known), lost, mode, modeReason },
    verdict: verdictOf(known),
  };
}

const byCount = (names: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...names].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));

const nameOf = (event: string): string => (event.includes(':') ? event : `${event}:*`);

/** Whether the events that it takes are there. */
function isThere({ kinds: wanted, any }: View, kinds: ReadonlyMap<EventKind, number>): boolean {
  return any === true ? wanted.some((kind) => kinds.has(kind)) : wanted.every((kind) => kinds.has(kind));
}

const isOpen = (view: View, kinds: ReadonlyMap<EventKind, number>): boolean =>
  isThere(view, kinds) && (view.over === undefined || view.over.some((kind) => kinds.has(kind)));

function startOf({ heard, kinds, coverage, untilBirth }: Known): readonly string[] {
  const isTold = kinds.has('map') || kinds.has('unmap');
  const tables = isTold ? [] : ['nothing is mapped or unmapped in an IOMMU'];
  if (!isTold && !DRIVERS.some((kind) => kinds.has(kind))) return tables;
  const drivers = isTold ? [] : ['mappings are what drivers asked for, whatever translates the addresses'];
  const first =
    untilBirth === undefined
      ? 'no mapping is made in it'
      : `the first mapping is made ${heard.ticks ? `${untilBirth} ticks` : duration(untilBirth)} after the first event`;
  const before =
    coverage.unknownDeaths === 0
      ? 'what was mapped before and stays so is not known'
      : 'some of what is unmapped was mapped before; what else was is not known';
  return [...tables, ...drivers, first, before];
}

/** What silence means: a report without findings is worth as much as the trace could have shown. */
function verdictOf({ heard, kinds, lost }: Known): string {
  const views = VIEWS.filter(({ helps }) => helps !== true);
  const shows = (open: boolean): string =>
    views
      .filter((view) => isOpen(view, kinds) === open)
      .map((view, at, all) => `${at === 0 ? '' : at < all.length - 1 ? ', of ' : ' or of '}${view.shows}`)
      .join('');
  if (shows(true) === '') return 'finding nothing means nothing: no mapping can be followed in this trace';
  const holes = [
    ...(lost.places === 0 ? [] : ['where events were lost']),
    ...(heard.garbage + heard.malformed === 0 ? [] : ['where lines could not be read']),
  ].join(' and ');
  const except = holes === '' ? '' : ` (except ${holes})`;
  const rest = shows(false) === '' ? '' : `; nothing is told of ${shows(false)}`;
  return `finding nothing means that what was seen${except} shows no sign of ${shows(true)}${rest}`;
}
