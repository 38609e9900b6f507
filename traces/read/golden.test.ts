/** For tests of texts of events: each with its name in reports, and what it says. */
import { expect } from 'chai';
import type { TraceEvent } from '../event.ts';
import { TraceParser } from './parse.ts';

export const STAMP = { line: 1, time: 1_500_000_000, cpu: 0, task: 'dd', pid: 147 };
export const HEAD = 'dd-147 [000] ..... 1.500000: ';
export const DEVICE = '0000:00:08.0';

/** An event without its stamp. */
type Said = TraceEvent extends infer E ? (E extends TraceEvent ? Omit<E, keyof typeof STAMP> : never) : never;

export type Golden = readonly (readonly [text: string, name: string, said: Said])[];

export function itReads(texts: Golden): void {
  for (const [text, name, said] of texts)
    it(`reads ${text.slice(0, 90)}`, () => {
      const parser = new TraceParser();
      expect(parser.parse(HEAD + text)).to.deep.equal({ ...STAMP, ...said });
      expect([...parser.heard.seen]).to.deep.equal([[name, 1]]);
    });
}
