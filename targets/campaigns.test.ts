import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type Plan, type PropertyName, runChunk } from '../properties/index.ts';
import { builtin } from './builtin.ts';

/** So few that mutants can be judged by them: `npm start` runs many. */
const SCRIPTS: Readonly<Record<PropertyName, number>> = { lockstep: 60, noninterference: 15, fault: 10 };

/** Scripts are drawn with small pages, lines and tables; these are others. */
const MACHINES: Readonly<Record<string, Plan['machine'] & object>> = {
  'a small machine': {},
  'the pages of a real machine': { pageBytes: 4096, lineBytes: 64, tableBits: 9, ioBits: 18 },
  'small lines': { pageBytes: 512, lineBytes: 8, tableBits: 3, ioBits: 16 },
  'lines as large as pages': {
    pageBytes: 128,
    lineBytes: 128,
    tableBits: 1,
    ioBits: 11,
    pageArrayEntryBytes: 4,
  },
  'three pages': { pages: 3, jobs: 1, reservedIoPages: 3 },
};

describe('the built-in target', () => {
  for (const property of ['lockstep', 'noninterference', 'fault'] as const) {
    for (const [name, machine] of Object.entries(MACHINES)) {
      it(`holds on ${name}: ${property}`, () => {
        const campaign = { spec: SPEC, target: builtin(), seed: 1, plan: { machine }, property };
        const { counts, found } = runChunk(campaign, 0, SCRIPTS[property]);
        expect(found).to.equal(undefined);
        expect(counts.commands).to.be.above(0);
      });
    }
  }
});
