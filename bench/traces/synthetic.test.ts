import { expect } from 'chai';
import { BUSY, syntheticText } from './synthetic.ts';

const count = (text: string, pattern: RegExp): number => Array.from(text.matchAll(pattern)).length;

describe('a synthetic trace', () => {
  for (const mode of ['strict', 'lazy'] as const)
    it(`is the same for the same seed, and ends with nothing mapped and no page held (${mode})`, () => {
      const text = syntheticText({ ...BUSY, mode });
      expect(text).to.equal(syntheticText({ ...BUSY, mode }));
      expect(text).not.to.equal(syntheticText({ ...BUSY, mode, seed: 2 }));
      const bytes = (event: string): number =>
        Array.from(text.matchAll(new RegExp(` ${event}: .* size=(\\d+)`, 'g')), ([, size]) =>
          Number(size),
        ).reduce((sum, size) => sum + size, 0);
      expect(bytes('map')).to.be.above(1e7);
      expect(bytes('map')).to.equal(bytes('unmap'));
      const pages = (event: string): number =>
        Array.from(
          text.matchAll(new RegExp(` ${event}: .* order=(\\d+)`, 'g')),
          ([, order]) => 2 ** Number(order),
        ).reduce((sum, each) => sum + each, 0);
      expect(pages('mm_page_alloc')).to.equal(pages('mm_page_free'));
      expect(count(text, / cache_tag_flush_all: /g) > 0).to.equal(mode === 'lazy');
      expect(count(text, / cache_tag_flush_range: /g) > 0).to.equal(mode === 'strict');
    });

  it('leaves out the events that are off', () => {
    const off = { kmem: false, dma: false, flushes: false, buffers: false };
    const text = syntheticText({ ...BUSY, ...off, lines: 1000 });
    expect(count(text, / (map|unmap): /g)).to.be.above(900);
    expect(text).not.to.match(/mm_page|dma_|cache_tag|qi_submit|attachment/);
  });
});
