/** Imports every test of a rule, so that it comes after them. */
import { expect } from 'chai';
import './attach.test.ts';
import './coherent.test.ts';
import './cpu.test.ts';
import './device.test.ts';
import './dma.test.ts';
import './errnos.test.ts';
import './gpu.test.ts';
import './index.test.ts';
import './iommu.test.ts';
import './ion.test.ts';
import './leaves.test.ts';
import { rows } from './judged.test.ts';
import './metadata.test.ts';
import './occupy.test.ts';
import './pages.test.ts';
import './sg.test.ts';
import './sharing.test.ts';
import './vmap.test.ts';

describe('rows of rules', () => {
  for (const [row, outcomes] of rows) {
    it(`came out true and false in the tests above: ${row}`, () => {
      expect(outcomes.holds, 'true').to.be.above(0);
      expect(outcomes.fails, 'false').to.be.above(0);
    });
  }
});
