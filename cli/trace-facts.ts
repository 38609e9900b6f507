/** What a report of a trace says beside its findings, in words: the same for the terminal and for Markdown. */
import {
  ASSUMPTIONS,
  CONFIDENCES,
  citeEvent,
  duration,
  type Fact,
  type Histogram,
  hex,
  type Series,
  type SpaceUse,
  size,
  type TraceFinding,
  type TraceReport,
} from '../traces/index.ts';
import { count, many, percent } from './table.ts';

/** What was read, on one line. */
export function sourceLine({ source }: TraceReport): string {
  const { format, lines, events, cpus, first, last, ticks, early } = source;
  const what = `${format === 'unknown' ? 'no known format' : format}, ${many(lines, 'line')}`;
  const over = `${many(events, 'event')} of ${many(cpus, 'CPU')}`;
  const cut = early === undefined ? '' : `; not read to the end: ${early}`;
  if (first === undefined || last === undefined) return `${what}, no event${cut}`;
  const time = ticks ? `${count(last - first)} ticks` : duration(last - first);
  return `${what}, ${over} in ${time}${cut}`;
}

/** What the trace can show and what not. */
export function sightFacts({ source, sight, tolerances }: TraceReport): readonly Fact[] {
  const counts = (names: typeof sight.seen): string =>
    names.map(([name, times]) => `${shown(name)} ${count(times)}`).join(', ');
  const facts: readonly Fact[] = [
    ['events', counts(sight.seen)],
    ['not read', counts(sight.unknown)],
    ['flushing', `${sight.mode}: ${sight.modeReason}`],
    ['start', sight.start.join('; ')],
    ['blind', ...sight.blind],
    ['to see it', sight.enable.length === 0 ? '' : `trace-cmd record ${enableOptions(sight.enable)}`],
    ['lost', ...lostSentences(sight.lost, source)],
    ['tolerated', ...tolerances.filter(({ name }) => name !== 'lost-events').map(toleranceText)],
    ['worth', sight.verdict],
  ];
  return facts.filter(([, first = '']) => first !== '');
}

const enableOptions = (events: readonly string[]): string => events.map((event) => `-e ${event}`).join(' ');

const toleranceText = ({ count: times, text, firstLine }: TraceReport['tolerances'][number]): string =>
  `${count(times)} × ${text}${firstLine > 0 ? `, first in line ${count(firstLine)}` : ''}`;

function lostSentences(
  { events, places, uncounted, gaps }: TraceReport['sight']['lost'],
  { ticks }: TraceReport['source'],
): readonly string[] {
  const moment = (time: number): string => (ticks ? `tick ${count(time)}` : `${(time / 1e9).toFixed(6)} s`);
  if (places === 0) return ['nothing, as far as the trace says'];
  const more = uncounted === 0 ? '' : `, and more at ${many(uncounted, 'place')} that say no number`;
  const told = gaps.map(({ cpu, from, to, count: number }) => {
    const where = cpu === undefined ? '' : ` of CPU ${cpu}`;
    const when = from === undefined ? `before ${moment(to)}` : `between ${moment(from)} and ${moment(to)}`;
    return `${number === undefined ? 'some' : count(number)}${where} ${when}`;
  });
  const rest = places > gaps.length ? [`and so on at ${many(places - gaps.length, 'place')}`] : [];
  return [`${many(events, 'event')} at ${many(places, 'place')}${more}`, ...told, ...rest];
}

/** How much of it was seen. */
export function coverageFacts({ coverage }: TraceReport): readonly Fact[] {
  const { born, byDrivers, died, alive, unknownDeaths, named, pagesWhole, pagesPart } = coverage;
  return [
    [
      'mappings',
      `${many(born, 'mapping')} made; ${count(died)} of them unmapped again (${percent(died, born)}), ` +
        `${count(alive)} alive at the end`,
      ...(byDrivers === 0
        ? []
        : [`${count(byDrivers)} are ranges that drivers mapped, as no event of an IOMMU shows them`]),
      `${many(unknownDeaths, 'unmap')} of what the trace does not show being mapped`,
      `${count(named)} belong to a device that was named (${percent(named, born)})`,
    ],
    [
      'pages',
      pagesWhole + pagesPart === 0
        ? 'neither allocated nor freed in the trace'
        : `${count(pagesWhole)} lives seen from allocation to free, ${count(pagesPart)} with one end only`,
    ],
  ];
}

/** How large they are, how long they live, how many there are at once. */
export function distributionFacts({ distributions, source }: TraceReport): readonly Fact[] {
  const { sizes, lifetimes, live, liveBytes } = distributions;
  const time = source.ticks ? (value: number): string => `${count(value)} ticks` : duration;
  if (sizes.total === 0) return [];
  return [
    ['sizes', spread(sizes, size)],
    ...(lifetimes.total === 0 ? [] : [['lifetimes', spread(lifetimes, time)] as const]),
    ['at once', `at the most ${many(most(live), 'mapping')}, and at the most ${size(most(liveBytes))}`],
  ];
}

const most = ({ values }: Series): number => values.reduce((a, b) => Math.max(a, b), 0);

function spread(histogram: Histogram, text: (value: number) => string): string {
  const { counts, least, median, most: highest } = histogram;
  if (least === highest) return `all ${text(least)}`;
  const first = counts.findIndex((times) => times > 0);
  const shape = `${text(2 ** first)} ${bars(counts.slice(first))} ${text(2 ** counts.length)}`;
  return `${shape}: ${text(least)} to ${text(highest)}, the middle one about ${text(median)}`;
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** One block a value; nothing at all is a dot. */
export function bars(values: readonly number[]): string {
  const highest = values.reduce((a, b) => Math.max(a, b), 1);
  return values
    .map((value) => (value <= 0 ? '·' : BLOCKS[Math.ceil((value / highest) * BLOCKS.length) - 1]))
    .join('');
}

/** `2 certain, 1 likely, none possible; 1 of these is a risk, not a violation`. */
export function totalsText({ totals, risks }: TraceReport): string {
  const text = CONFIDENCES.map((name) => `${totals[name] === 0 ? 'none' : count(totals[name])} ${name}`);
  const [what, are] = risks === 1 ? ['a risk, not a violation', 'is'] : ['risks, not violations', 'are'];
  return `${text.join(', ')}${risks === 0 ? '' : `; ${count(risks)} of these ${are} ${what}`}`;
}

/** Findings that are counted and not told, where there are too many kinds; empty without any. */
export function untoldText({ totals, findings }: TraceReport): string {
  const all = CONFIDENCES.reduce((sum, name) => sum + totals[name], 0);
  const untold = findings.reduce((left, { more }) => left - 1 - more, all);
  return untold === 0 ? '' : `${many(untold, 'more finding')} of other devices and tasks`;
}

/** What a finding takes for granted. */
export const assumed = ({ assumptions }: TraceFinding): readonly string[] =>
  assumptions.map((name) => ASSUMPTIONS[name]);

/** What an event of a finding said, in the words of ftrace. */
export const eventText = (event: TraceFinding['evidence'][number]['event']): string =>
  shown(citeEvent(event));

export const moreText = ({ more }: TraceFinding): string =>
  more === 0 ? '' : `${count(more)} more of this kind, device and task`;

export const COLUMNS_OF_SPACES: readonly string[] = [
  ...['device or domain', 'mappings', 'alive', 'lowest', 'highest', 'most at once'],
];

export const spaceRow = (use: SpaceUse): readonly string[] => [
  shown(use.space ?? '(none named)'),
  ...[count(use.mappings), count(use.alive), hex(use.lowest), hex(use.highest), size(use.bytesMost)],
];

/** Names come from the trace: whatever steers a terminal is taken out. */
export const shown = (text: string): string => text.replace(/\p{Cc}/gu, '\u{fffd}');
