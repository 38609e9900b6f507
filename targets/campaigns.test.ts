import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type PropertyName, runChunk } from '../properties/index.ts';
import { builtin } from './builtin.ts';

/** So few that mutants can be judged by them: `npm start` runs many. */
const SCRIPTS: Readonly<Record<PropertyName, number>> = { lockstep: 200, noninterference: 50, fault: 25 };

describe('the built-in target', () => {
  for (const property of ['lockstep', 'noninterference', 'fault'] as const) {
    it(`holds in ${SCRIPTS[property]} scripts: ${property}`, () => {
      const campaign = { spec: SPEC, target: builtin(), seed: 1, plan: {}, property };
      const { counts, found } = runChunk(campaign, 0, SCRIPTS[property]);
      expect(found).to.equal(undefined);
      expect(counts.commands).to.be.above(0);
    });
  }
});
