import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { Findings } from './findings.ts';
import { IommuWatch } from './iommu/iommu-watch.ts';
import type { Mapping } from './mapping.ts';
import { TraceParser } from './read/parse.ts';

const FIXTURES = new URL('../../traces/fixtures/', import.meta.url);
/** Seconds between what the kernel wrote and what the emulator wrote of the same moment, apart from their offset. */
const SLACK = 0.0005;

const linesOf = (file: string): readonly string[] =>
  gunzipSync(readFileSync(new URL(file, FIXTURES)))
    .toString('latin1')
    .trimEnd()
    .split('\n');

/** What the emulated hardware says of itself: see `vtd_*` in QEMU's list of trace events. */
interface Seen {
  readonly seconds: number;
  readonly name: string;
  readonly rest: string;
}

function hardwareLog(file: string): readonly Seen[] {
  return linesOf(file).map((line) => {
    const [, seconds, name = '', rest = ''] = /^\d+@([\d.]+):vtd_(\w+) (.*)$/.exec(line) ?? [];
    return { seconds: Number(seconds), name, rest };
  });
}

/** Mappings as the checker understands them, and descriptors that the kernel queued to forget translations. */
function checkerView(file: string) {
  const mappings: Mapping[] = [];
  const listener = { born: (mapping: Mapping) => mappings.push(mapping), died: () => {} };
  const watch = new IommuWatch(new Findings(), [listener], undefined);
  const parser = new TraceParser();
  const submitted: {
    readonly seconds: number;
    readonly domain: number | undefined;
    readonly iova: number | undefined;
  }[] = [];
  for (const line of linesOf(file)) {
    const event = parser.parse(line);
    if (event === undefined) continue;
    watch.on(event);
    if (event.kind === 'flush' && event.step === 'submitted')
      submitted.push({ seconds: event.time / 1e9, domain: event.domain, iova: event.iova });
  }
  return { mappings, submitted };
}

const hex = (rest: string, pattern: RegExp): number | undefined => {
  const digits = pattern.exec(rest)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Invalidations of the whole and of a domain name no address. */
const invalidation = ({ rest }: Seen) => ({
  domain: hex(rest, /domain 0x([0-9a-f]+)/),
  iova: hex(rest, /addr 0x([0-9a-f]+)/),
});

describe('the checker sees what the hardware saw', () => {
  for (const [name, translations, faults] of [
    ['qemu-6.12-strict1-race', 8, 20],
    ['qemu-6.12-strict1-api', 27, 160],
    ['qemu-6.12-strict0-api', 27, 160],
  ] as const) {
    const log = hardwareLog(`${name}.qemu-vtd.log.gz`);
    const { mappings, submitted } = checkerView(`${name}.ftrace.txt.gz`);
    const invalidations = log.filter((seen) => seen.name.startsWith('inv_desc_iotlb')).slice(1);
    const offset = median(invalidations.map(({ seconds }, at) => seconds - (submitted[at]?.seconds ?? 0)));
    const alive = (at: Seen, iova: number, slack: number): readonly Mapping[] =>
      mappings.filter(({ born, died, ...mapped }) => {
        const seconds = at.seconds - offset;
        const began = born.time / 1e9 - slack <= seconds;
        const over = died !== undefined && died.time / 1e9 + slack < seconds;
        return began && !over && mapped.iova <= iova && iova < mapped.iova + mapped.size;
      });

    it(`${name}: every invalidation that was submitted was seen, in order`, () => {
      expect(invalidations.map(invalidation)).to.deep.equal(
        submitted.map(({ domain, iova }) => ({ domain, iova })),
      );
    });

    it(`${name}: ${translations} translations lead where a mapping of that moment leads`, () => {
      const seen = log.filter((each) => each.name === 'dmar_translate');
      expect(seen).to.have.lengthOf(translations);
      for (const each of seen) {
        const [iova, gpa] = [hex(each.rest, /iova 0x(\w+)/) ?? -1, hex(each.rest, /gpa 0x(\w+)/)];
        const led = alive(each, iova, SLACK).map((mapping) => mapping.paddr + iova - mapping.iova);
        expect(led, each.rest).to.include(gpa);
      }
    });

    it(`${name}: ${faults} faults are at addresses that were not mapped at that moment`, () => {
      const seen = log.filter((each) => each.name === 'dmar_fault');
      expect(seen).to.have.lengthOf(faults);
      for (const each of seen)
        expect(alive(each, hex(each.rest, /addr 0x(\w+)/) ?? -1, 0), each.rest).to.deep.equal([]);
    });
  }
});
