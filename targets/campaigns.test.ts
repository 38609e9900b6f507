import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type Plan, type PropertyName, runChunk } from '../properties/index.ts';
import { builtin } from './builtin.ts';

/** So few that mutants can be judged by them: `npm start` runs many. */
const SCRIPTS: Readonly<Record<PropertyName, number>> = {
  lockstep: 60,
  noninterference: 30,
  fault: 15,
  schedule: 60,
};

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

/** Runs the first scripts of a seed. */
function hold(property: PropertyName, machine: Plan['machine'] & object): void {
  const campaign = { spec: SPEC, target: builtin(), seed: 1, plan: { machine }, property };
  const { counts, found } = runChunk(campaign, 0, SCRIPTS[property]);
  expect(found).to.equal(undefined);
  expect(counts.scripts).to.equal(SCRIPTS[property]);
}

describe('the built-in target', () => {
  for (const [name, machine] of Object.entries(MACHINES)) {
    it(`goes with the specification on ${name}`, () => hold('lockstep', machine));
  }

  it('lets no client notice another', () => hold('noninterference', {}));

  it('goes with the specification in some order of the calls that overlap', () => hold('schedule', {}));

  it('leaves nothing behind when a fault made a call fail', () => hold('fault', {}));
});
