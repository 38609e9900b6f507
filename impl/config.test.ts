import { expect } from 'chai';
import { type Config, checkConfig, ioPagesOf, smallConfig } from './config.ts';
import { boot } from './kernel.ts';

describe('config', () => {
  it('accepts the defaults', () => {
    expect(() => checkConfig(smallConfig())).not.to.throw();
    expect(ioPagesOf(smallConfig())).to.equal(64);
  });

  /** Pages so large that the limits of other fields are not met first. */
  const large = { pageBytes: 65_536, lineBytes: 64, ioBits: 26 };
  const ends: readonly (readonly [Partial<Config>, Partial<Config>])[] = [
    [{ pages: 1 }, { pages: 0 }],
    [{ pages: 1 << 22 }, { pages: (1 << 22) + 1 }],
    [{ pageBytes: 64 }, { pageBytes: 32, tableBits: 1 }],
    [large, { ...large, pageBytes: 131_072 }],
    [{ pageBytes: 128 }, { pageBytes: 96 }],
    [{ lineBytes: 8 }, { lineBytes: 4 }],
    [{ lineBytes: 64 }, { lineBytes: 128 }],
    [{ lineBytes: 32 }, { lineBytes: 24 }],
    [{ orderMax: 0 }, { orderMax: -1 }],
    [{ orderMax: 10 }, { orderMax: 11 }],
    [{ pageArrayEntryBytes: 4 }, { pageArrayEntryBytes: 2 }],
    [{ pageArrayEntryBytes: 64 }, { pageArrayEntryBytes: 128 }],
    [{ pageArrayEntryBytes: 16 }, { pageArrayEntryBytes: 12 }],
    [{ ioBits: 6 }, { ioBits: 5 }],
    [{ ioBits: 26 }, { ioBits: 27 }],
    [{ tableBits: 1 }, { tableBits: 0 }],
    [{ tableBits: 3 }, { tableBits: 4 }],
  ];
  for (const [last, beyond] of ends) {
    it(`accepts ${JSON.stringify(last)}, and refuses ${JSON.stringify(beyond)}`, () => {
      expect(() => checkConfig(smallConfig(last))).not.to.throw();
      expect(() => checkConfig(smallConfig(beyond))).to.throw('internal error');
    });
  }

  it('is checked at boot', () => {
    expect(() => boot({ orderMax: 11 })).to.throw('internal error');
  });

  it('boots four million pages', () => {
    const kernel = boot({ pages: 4_000_000, lineBytes: 64, orderMax: 10 });
    expect(kernel.freePages).to.equal(4_000_000);
    expect(kernel.pages.allocate(10)).to.equal(0);
  }).timeout(30_000);
});
