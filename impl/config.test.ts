import { expect } from 'chai';
import { type Config, checkConfig, ioPagesOf, smallConfig } from './config.ts';
import { boot } from './kernel.ts';

describe('config', () => {
  it('accepts the defaults', () => {
    expect(() => checkConfig(smallConfig())).not.to.throw();
    expect(ioPagesOf(smallConfig())).to.equal(64);
  });

  const wrong: readonly Partial<Config>[] = [
    { pages: 0 },
    { pageBytes: 96 },
    { lineBytes: 128 },
    { orderMax: 11 },
    { tableBits: 4 },
    { ioBits: 40 },
    { pageArrayEntryBytes: 3 },
  ];
  for (const fields of wrong) {
    it(`refuses ${JSON.stringify(fields)}`, () => {
      expect(() => boot(fields)).to.throw('internal error');
    });
  }

  it('boots four million pages', () => {
    const kernel = boot({ pages: 4_000_000, lineBytes: 64, orderMax: 10 });
    expect(kernel.freePages).to.equal(4_000_000);
    expect(kernel.pages.allocate(10)).to.equal(0);
  }).timeout(30_000);
});
