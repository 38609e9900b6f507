import { expect } from 'chai';
import type { Mode } from '../report.ts';
import { A, DISK, NIC, PAGE, PFN, Tale } from './tale.test.ts';

/** Unmaps that are flushed at once, so that the trace shows a strict domain. */
function strict(count = 20): Tale {
  const tale = new Tale().flush();
  for (let n = 0; n < count; n += 1)
    tale.dmaMap(NIC, A - 0x10_0000, 0x100).dmaUnmap(NIC, A - 0x10_0000, { flush: true });
  return tale;
}

interface Case {
  readonly name: string;
  readonly wrong: Tale;
  readonly found: readonly string[];
  readonly innocent: Tale;
  readonly mode?: Mode;
}

const CASES: readonly Case[] = [
  {
    name: 'a page that is freed while mapped, and unmapped later',
    wrong: new Tale().map(A, PFN).free(PFN).unmap(A),
    found: ['certain freed-while-mapped'],
    innocent: new Tale().map(A, PFN).unmap(A).free(PFN),
  },
  {
    name: 'a page that is freed while mapped, and never unmapped',
    wrong: new Tale()
      .map(A - PAGE, 1)
      .unmap(A - PAGE)
      .map(A, PFN)
      .free(PFN)
      .alloc(PFN),
    found: ['likely freed-while-mapped'],
    innocent: new Tale()
      .map(A, PFN)
      .alloc(PFN + 1)
      .free(PFN + 1)
      .unmap(A),
  },
  {
    name: 'a block of which one page is mapped',
    wrong: new Tale()
      .map(A, PFN + 3)
      .free(PFN, 2)
      .unmap(A),
    found: ['certain freed-while-mapped'],
    innocent: new Tale()
      .map(A, PFN + 4)
      .free(PFN, 2)
      .unmap(A),
  },
  {
    name: 'one page of a large mapping',
    wrong: new Tale()
      .map(0x4000_0000, 0x8_0000, 512 * 600)
      .free(0x8_0000 + 70_000)
      .unmap(0x4000_0000, 512 * 600),
    found: ['certain freed-while-mapped'],
    innocent: new Tale()
      .map(0x4000_0000, 0x8_0000, 512 * 600)
      .unmap(0x4000_0000 + 70_000 * PAGE)
      .free(0x8_0000 + 70_000),
  },
  {
    name: 'a free on another CPU so close to the unmap that it may have come after it',
    wrong: new Tale().map(A, PFN).free(PFN, 0, { cpu: 1 }).unmap(A, 1, { after: 3 }),
    found: ['possible freed-while-mapped'],
    innocent: new Tale().map(A, PFN).unmap(A).free(PFN, 0, { cpu: 1, after: 3 }),
  },
  {
    name: 'a free after events were lost',
    wrong: new Tale()
      .map(A, PFN)
      .unmap(A + PAGE)
      .lost()
      .free(PFN),
    found: ['possible freed-while-mapped'],
    innocent: new Tale().map(A, PFN).lost().unmap(A).free(PFN),
  },
  {
    name: 'a free of which a loss is told later',
    wrong: new Tale()
      .map(A, PFN)
      .unmap(A + PAGE)
      .free(PFN, 0, { cpu: 1 })
      .lost(0),
    found: ['possible freed-while-mapped'],
    innocent: new Tale().map(A, PFN).lost(0).unmap(A).free(PFN),
  },
  {
    name: 'two mappings at one address, one unmap, both pages freed',
    wrong: new Tale()
      .map(A, PFN)
      .map(A, PFN + 1)
      .unmap(A)
      .free(PFN)
      .free(PFN + 1),
    found: ['likely freed-while-mapped'],
    innocent: new Tale()
      .map(A, PFN)
      .map(A, PFN + 1)
      .unmap(A)
      .free(PFN + 1)
      .unmap(A)
      .free(PFN),
  },
  {
    name: 'two devices at one address, and the unmap of the other',
    wrong: new Tale()
      .dmaMap(NIC, A, PFN)
      .dmaMap(DISK, A, PFN + 1)
      .dmaUnmap(NIC, A)
      .free(PFN + 1)
      .dmaUnmap(DISK, A),
    found: ['certain freed-while-mapped'],
    innocent: new Tale()
      .dmaMap(NIC, A, PFN)
      .dmaMap(DISK, A, PFN + 1)
      .dmaUnmap(NIC, A)
      .free(PFN)
      .dmaUnmap(DISK, A),
  },
  {
    name: 'a page that is handed out while mapped, its free unseen',
    wrong: new Tale().map(A, PFN).alloc(PFN).unmap(A),
    found: ['certain allocated-while-mapped'],
    innocent: new Tale().alloc(PFN).map(A, PFN).unmap(A),
  },
  {
    name: 'a page that is mapped while free, as its allocation shows later',
    wrong: new Tale().free(PFN).map(A, PFN).unmap(A).alloc(PFN),
    found: ['likely mapped-while-free'],
    innocent: new Tale().free(PFN).map(A, PFN).unmap(A).free(PFN).alloc(PFN),
  },
  {
    name: 'two mappings of one device at one address',
    wrong: new Tale()
      .unmap(0)
      .dmaMap(NIC, A, PFN)
      .dmaMap(NIC, A, PFN + 1),
    found: ['likely overlap'],
    innocent: new Tale()
      .unmap(0)
      .dmaMap(NIC, A, PFN)
      .dmaMap(DISK, A, PFN + 1)
      .map(A, PFN + 2),
  },
  {
    name: 'memory of somebody else behind a DMA address',
    wrong: new Tale()
      .unmap(0)
      .dmaMap(NIC, A, PFN)
      .dmaMap(NIC, A - PAGE, PFN, PFN + 9),
    found: ['likely dma-not-backed'],
    innocent: new Tale()
      .unmap(0)
      .dmaMap(NIC, A, PFN)
      .dmaMap(NIC, A - PAGE, PFN),
  },
  {
    name: 'an unmap of which nothing was mapped',
    wrong: new Tale().say({ kind: 'unmap', iova: A, size: PAGE, unmapped: 0 }),
    found: ['certain unmap-unknown'],
    innocent: new Tale().unmap(A),
  },
  {
    name: 'an unmap of which half was mapped',
    wrong: new Tale().say({ kind: 'unmap', iova: A, size: 2 * PAGE, unmapped: PAGE }),
    found: ['certain unmap-short'],
    innocent: new Tale()
      .map(A, PFN, 2)
      .unmap(A, 1)
      .unmap(A + PAGE, 1),
  },
  {
    name: 'an unmap that takes more',
    wrong: new Tale().say({ kind: 'unmap', iova: A, size: PAGE, unmapped: 2 * PAGE }),
    found: ['possible unmap-more'],
    innocent: new Tale()
      .map(A, PFN)
      .map(A + PAGE, PFN + 7)
      .unmap(A, 2),
  },
  {
    name: 'half a page',
    wrong: new Tale().say({ kind: 'map', iova: A + 0x800, paddr: PFN * PAGE, size: PAGE }),
    found: ['certain alignment'],
    innocent: new Tale().map(A, PFN, 3),
  },
  {
    name: 'a range beyond the last address',
    wrong: new Tale().map(2 ** 64 - 0x1_0000, PFN, 32),
    found: ['certain wraps'],
    innocent: new Tale().map(2 ** 64 - 0x1_0000, PFN, 16),
  },
  {
    name: 'a page that is freed between unmap and flush of a strict domain',
    wrong: strict().dmaMap(NIC, A, PFN).unmap(A).free(PFN).flush(A),
    found: ['likely freed-before-flush'],
    innocent: strict().dmaMap(NIC, A, PFN).unmap(A).flush(A).free(PFN),
  },
  {
    name: 'a page that is freed before a lazy domain is flushed',
    wrong: new Tale().flush().map(A, PFN).unmap(A).free(PFN).flush(undefined, { pid: 0, cpu: 1 }),
    found: ['possible freed-in-lazy-window'],
    innocent: new Tale().flush().map(A, PFN).unmap(A).flush(undefined, { pid: 0, cpu: 1 }).free(PFN),
  },
  {
    name: 'the same where the domain is said to be strict',
    mode: 'strict',
    wrong: new Tale().flush().map(A, PFN).unmap(A).free(PFN).flush(undefined, { pid: 0, cpu: 1 }),
    found: ['likely freed-before-flush'],
    innocent: new Tale().flush().map(A, PFN).unmap(A).flush(undefined, { pid: 0, cpu: 1 }).free(PFN),
  },
  {
    name: 'an address that is mapped again before its flush',
    wrong: strict()
      .dmaMap(NIC, A, PFN)
      .dmaUnmap(NIC, A)
      .dmaMap(NIC, A, PFN + 1),
    found: ['likely reused-before-flush'],
    innocent: strict()
      .dmaMap(NIC, A, PFN)
      .dmaUnmap(NIC, A)
      .flush()
      .dmaMap(NIC, A, PFN + 1),
  },
  {
    name: 'memory that is mapped twice at once at one address, so in two domains',
    wrong: new Tale()
      .map(A, PFN, 4)
      .map(A + PAGE, PFN + 1)
      .map(A, PFN, 3),
    found: ['possible two-devices'],
    innocent: new Tale()
      .map(A, PFN)
      .map(A + PAGE, PFN)
      .unmap(A)
      .map(A, PFN)
      .map(A + PAGE, PFN + 1),
  },
  {
    name: 'memory that two devices reach, as the maps of some vendors say',
    wrong: new Tale().vendorMap(NIC, A, PFN).vendorMap(DISK, A - PAGE, PFN),
    found: ['possible two-devices'],
    innocent: new Tale().vendorMap(NIC, A, PFN).vendorMap(NIC, A - PAGE, PFN),
  },
  {
    name: 'a mapping that outlives all its like, and came when they came and went',
    wrong: new Tale().rounds(20).map(A, PFN, 1, { pid: 8 }).flush(undefined, { after: 5000 }),
    found: ['possible leak'],
    innocent: new Tale().map(A, PFN, 1, { pid: 8 }).rounds(20).flush(undefined, { after: 5000 }),
  },
  {
    name: 'the like of a vendor who names devices',
    wrong: new Tale().rounds(8, NIC).vendorMap(NIC, A, PFN).flush(undefined, { after: 5000 }),
    found: ['possible leak'],
    innocent: new Tale().rounds(8, NIC).vendorMap(DISK, A, PFN).flush(undefined, { after: 5000 }),
  },
];

describe('what devices reach through an IOMMU', () => {
  for (const { name, wrong, found, innocent, mode } of CASES) {
    it(`finds ${name}`, () => expect(wrong.told(mode)).to.deep.equal(found));
    it(`and says nothing of the like that is right: ${name}`, () =>
      expect(innocent.told(mode)).to.deep.equal([]));
  }

  it('says nothing of pages where no unmap is recorded at all', () => {
    const findings = new Tale()
      .map(A, PFN)
      .free(PFN)
      .map(A, PFN + 1)
      .free(PFN + 1)
      .findings();
    expect(findings.list).to.deep.equal([]);
    expect(findings.tolerances.map(({ name, count }) => [name, count])).to.deep.equal([['no-unmaps', 2]]);
  });

  it('takes what is mapped one to one for a reserved region, unless a driver asked for it', () => {
    const identity = new Tale()
      .map(PFN * PAGE, PFN)
      .free(PFN)
      .unmap(PFN * PAGE);
    expect(identity.told()).to.deep.equal([]);
    expect(identity.findings().tolerances.map(({ name }) => name)).to.deep.equal(['identity']);
    const asked = new Tale()
      .dmaMap(NIC, A, 1)
      .dmaMap(NIC, PFN * PAGE, PFN)
      .free(PFN)
      .dmaUnmap(NIC, PFN * PAGE);
    expect(asked.told()).to.deep.equal(['certain freed-while-mapped']);
  });

  it('says nothing of flushes where most unmaps go without one', () => {
    const tale = new Tale().flush();
    for (let n = 0; n < 5000; n += 1) tale.alloc(PFN).map(A, PFN).unmap(A).free(PFN);
    const { list, tolerances } = tale.findings();
    expect(list).to.deep.equal([]);
    expect(tolerances.map(({ name }) => name)).to.deep.equal(['flush-unseen']);
  });

  it('starts anew with another recording in the same file', () => {
    const tale = new Tale()
      .map(A, PFN)
      .unmap(A + PAGE)
      .say({ kind: 'lost', cause: 'restart' })
      .free(PFN);
    expect(tale.told()).to.deep.equal([]);
  });

  it('counts a page once where its mapping is in several lines of evidence', () => {
    const tale = new Tale().map(A, PFN, 4).free(PFN, 2).alloc(PFN, 2).unmap(A, 4);
    const [finding] = tale.findings().list;
    expect(finding?.evidence.map(({ role }) => role)).to.deep.equal([
      ...['mapped here', 'freed here', 'handed out again here', 'unmapped here'],
    ]);
  });
});
