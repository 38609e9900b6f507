import { expect } from 'chai';
import type { Stamp } from '../event.ts';
import { TraceParser } from './parse.ts';

const MAP = 'map: IOMMU: iova=0x00000000ffffe000 - 0x00000000fffff000 paddr=0x000000000892e000 size=4096';
const SAID = { iova: 0xffffe000, paddr: 0x892e000, size: 4096 };

type Head = readonly [what: string, head: string, stamp: Omit<Stamp, 'line'>];

const US = 1000;
const INIT = { task: 'init', pid: 1, cpu: 1, time: 2_799_826 * US };

/** What stands before the name of the event. */
const HEADS: readonly Head[] = [
  ['five flags', '            init-1       [001] .....     2.799826: ', INIT],
  ['four flags', '            init-1       [001] d.h1     2.799826: ', INIT],
  ['six flags', '            init-1       [001] dNs2..     2.799826: ', INIT],
  ['one blank after the flags', '          init-1     [001] dNs4 2.799826: ', INIT],
  ['no flags', '            init-1       [001]     2.799826: ', INIT],
  ['the process', '            init-1       (      1) [001] .....     2.799826: ', INIT],
  ['an unknown process', '            init-1       (-------) [001] .....     2.799826: ', INIT],
  ['nanoseconds', 'init-1 [001] ..... 2.799826123: ', { ...INIT, time: 2_799_826_123 }],
  ['hours of uptime', 'init-1 [001] ..... 86400.000001: ', { ...INIT, time: 86_400_000_001 * US }],
  ['ticks', '  init-1       [001] ..... 123456789012: ', { ...INIT, time: 123_456_789_012 }],
  ['the time since the line before', 'init-1 [001] 2.799826: (+12) ', INIT],
  ['the idle task', '  <idle>-0       [000] d.s2.  2.799826: ', { ...INIT, task: '<idle>', pid: 0, cpu: 0 }],
  ['a forgotten name', '   <...>-77      [001] .....  2.799826: ', { ...INIT, task: '<...>', pid: 77 }],
  ['slashes', ' kworker/u8:0-12 [001] .....  2.799826: ', { ...INIT, task: 'kworker/u8:0', pid: 12 }],
  ['minuses', ' irq/24-nvme0-q1-99 [001] ... 2.799826: ', { ...INIT, task: 'irq/24-nvme0-q1', pid: 99 }],
  ['blanks and brackets', ' a [7] (b) c-9 [001] .....  2.799826: ', { ...INIT, task: 'a [7] (b) c', pid: 9 }],
  ['many CPUs', ' init-1 [1023] .....  2.799826: ', { ...INIT, cpu: 1023 }],
  ['tabs', '\tinit-1\t[001]\t.....\t2.799826:\t', INIT],
  ['colours', '\x1b[35m\x1b[Kinit\x1b[m\x1b[K-1 [001] ..... 2.799826: ', INIT],
  ['a quoted mail', '> >  init-1 [001] ..... 2.799826: ', INIT],
  ['the log of the kernel', '[   12.345678] init-1 [001] ..... 2.799826: ', INIT],
  ['a dump after a crash', '[   33.213421]     init-1         1..... 2799826us : ', INIT],
  ['a slow step of a dump', '<4>[   33.2][ T77]  init-1       1d.h1. 2799826us+: ', INIT],
];

const PERF: readonly Head[] = [
  ['task and thread', '            init     1 [001]     2.799826:          iommu:', INIT],
  ['process and thread', '       init  7/1   [001] 2.799826: iommu:', INIT],
  ['nanoseconds', ' init 1 [001] 2.799826123: iommu:', { ...INIT, time: 2_799_826_123 }],
  ['a period', ' init 1 [001] 2.799826:          1 iommu:', INIT],
  ['blanks in the name', ' Web Content 31 [001] 2.799826: iommu:', { ...INIT, task: 'Web Content', pid: 31 }],
];

describe('heads of lines', () => {
  for (const [what, head, stamp] of HEADS)
    it(`reads one with ${what}`, () => {
      expect(new TraceParser().parse(head + MAP)).to.deep.equal({ kind: 'map', line: 1, ...stamp, ...SAID });
    });

  for (const [what, head, stamp] of PERF)
    it(`reads one of perf with ${what}`, () => {
      const parser = new TraceParser();
      expect(parser.parse(head + MAP)).to.deep.equal({ kind: 'map', line: 1, ...stamp, ...SAID });
      expect(parser.heard.format).to.equal('perf');
    });

  it('counts lines from one, and takes their ends off', () => {
    const parser = new TraceParser();
    parser.parse('# tracer: nop\r');
    const event = parser.parse(`init-1 [001] ..... 2.799826: ${MAP}\r`);
    expect(event).to.deep.equal({ kind: 'map', line: 2, ...INIT, ...SAID });
  });

  it('says when the clock counts no seconds', () => {
    const parser = new TraceParser();
    parser.parse(`init-1 [001] ..... 2799826: ${MAP}`);
    expect(parser.heard.ticks).to.equal(true);
  });

  it('does not take a damaged moment for another clock', () => {
    const parser = new TraceParser();
    parser.parse(`init-1 [001] ..... 2.799826: ${MAP}`);
    expect(parser.parse(`init-1 [001] ..... 29799826: ${MAP}`)).to.include({ kind: 'lost', time: INIT.time });
    expect(parser.heard).to.include({ ticks: false, garbage: 1 });
  });

  for (const [format, first, line] of [
    ['ftrace', '# tracer: nop', `init-1 [001] 2.799826: ${MAP}`],
    ['ftrace', '', `init-1 [001] ..... 2.799826: ${MAP}`],
    ['trace-cmd', 'cpus=2', `init-1 [001] d..1. 2.799826: ${MAP}`],
    ['trace-cmd', '', `init-1 [001] 2.799826: ${MAP.replace(': ', ':                  ')}`],
    ['unknown', 'a line', 'and another'],
  ] as const)
    it(`takes ${first || line.slice(0, 40)} for ${format}`, () => {
      const parser = new TraceParser();
      parser.parse(first);
      parser.parse(line);
      expect(parser.heard.format).to.equal(format);
    });
});

describe('lines that are no events', () => {
  const EVENT = `init-1 [001] ..... 2.799826: ${MAP}`;

  for (const line of [
    '',
    '   ',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
    'cpus=8',
    'version = 7',
    'CPU 3 is empty',
    ' => iommu_map+0x12/0x40',
    '\tffffffff818d7fc0 iommu_map+0x50 ([kernel.kallsyms])',
    '            7f5d6a0dcb95 __libc_write+0x15 (/usr/lib/libc.so.6)',
    '[   12.345678] Dumping ftrace buffer:',
    '[   12.345678] ---------------------------------',
  ])
    it(`counts ${JSON.stringify(line)} as a header`, () => {
      const parser = new TraceParser();
      parser.parse(EVENT);
      expect(parser.parse(line)).to.equal(undefined);
      expect(parser.heard).to.include({ lines: 2, headers: 1, garbage: 0, malformed: 0 });
    });

  for (const [line, cpu, count] of [
    ['CPU:1 [LOST 123 EVENTS]', 1, 123],
    ['CPU:3 [LOST EVENTS]', 3, undefined],
    ['CPU:7 [204600 EVENTS DROPPED]', 7, 204_600],
    ['CPU:0 [EVENTS DROPPED]', 0, undefined],
    ['##### CPU 2 buffer started ####', 2, undefined],
    ['perf 202 [001] 3.000000: PERF_RECORD_LOST lost 9', 0, 9],
    ['Processed 1234 events and lost 2 chunks!', 0, undefined],
  ] as const)
    it(`knows that ${line} says so`, () => {
      const parser = new TraceParser();
      parser.parse(EVENT);
      const stamp = { line: 2, cpu, task: '', pid: 0, time: line.startsWith('perf') ? 3e9 : INIT.time };
      expect(parser.parse(line)).to.deep.equal({
        ...{ kind: 'lost', cause: 'overrun', ...stamp },
        ...(count === undefined ? {} : { count }),
      });
      expect(parser.heard).to.include({
        notices: 1,
        lost: count ?? 0,
        uncounted: count === undefined ? 1 : 0,
      });
      expect(parser.heard).to.include({ headers: 0, garbage: 0 });
    });

  it('knows how many events were overwritten before the trace was read', () => {
    const parser = new TraceParser();
    parser.parse('# entries-in-buffer/entries-written: 100/1234   #P:2');
    expect(parser.heard.overwritten).to.equal(1134);
  });

  it('counts text among events as garbage, where an event may have been', () => {
    const parser = new TraceParser();
    expect(parser.parse('what is this')).to.equal(undefined);
    parser.parse(EVENT);
    const stamp = { line: 3, cpu: 1, task: '', pid: 0, time: INIT.time };
    expect(parser.parse('and this')).to.deep.equal({ kind: 'lost', cause: 'unreadable', ...stamp });
    expect(parser.heard).to.include({ garbage: 2, firstGarbage: 1, malformed: 0 });
  });

  it('counts a line that is longer than any tool writes as garbage', () => {
    const parser = new TraceParser();
    parser.parse(`${EVENT}${' '.repeat(64 * 1024)}`);
    expect(parser.heard).to.include({ garbage: 1, firstGarbage: 1 });
  });

  it('takes what follows a mark for more of it', () => {
    const parser = new TraceParser();
    expect(parser.parse('sh-1 [000] ..... 1.000000: tracing_mark_write: first line')).to.deep.equal({
      ...{ kind: 'mark', line: 1, time: 1e9, cpu: 0, task: 'sh', pid: 1, text: 'first line' },
    });
    expect(parser.parse('second line')).to.equal(undefined);
    parser.parse(EVENT);
    parser.parse('no line of a mark');
    expect(parser.heard).to.include({ headers: 1, garbage: 1, firstGarbage: 4 });
  });
});
