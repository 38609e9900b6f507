import { expect } from 'chai';
import { A, DISK, NIC, PAGE, PFN, Tale } from './tale.test.ts';

describe('mappings that no driver names', () => {
  it('counts the pages that two domains reach, each of them once', () => {
    const tale = new Tale();
    for (const pfn of [PFN, PFN + 2]) tale.map(A + (pfn - PFN) * PAGE, pfn, 2);
    tale.map(A, PFN, 1024).map(A, PFN).map(0x7000, 7);
    const [finding, ...others] = tale.findings().list;
    expect(others).to.deep.equal([]);
    expect(finding?.text).to.equal(
      'page 0x5000 and 3 more reached by two domains: mapped at 0xfffff000 of both',
    );
    expect(finding?.subject).to.deep.equal({ iova: A, size: 1024 * PAGE, pfn: PFN });
    expect(finding?.evidence.map(({ event }) => event.line)).to.deep.equal([1, 3]);
    const [whole] = tale.map(A, PFN, 1024).findings().list;
    expect(whole?.text).to.include('page 0x5000 and 1023 more');
  });

  it('takes memory that is reserved or a shared buffer for shared on purpose', () => {
    const reserved = new Tale().map(PFN * PAGE, PFN).map(PFN * PAGE, PFN);
    expect(reserved.told()).to.deep.equal([]);
    const call = { kind: 'buffer', buffer: '', attachment: '1', device: '' } as const;
    const attached = (pid: number): Tale =>
      new Tale()
        .map(A, PFN)
        .say({ ...call, action: 'map' })
        .map(A, PFN, 1, { pid });
    expect(attached(7).told()).to.deep.equal([]);
    expect(
      attached(7)
        .findings()
        .tolerances.map(({ name }) => name),
    ).to.deep.equal(['shared-buffer']);
    expect(attached(8).told()).to.deep.equal(['possible two-devices']);
  });

  it('leaves to drivers what their events name, and to a loss what it may excuse', () => {
    expect(new Tale().dmaMap(NIC, A, PFN).dmaMap(DISK, A, PFN).told()).to.deep.equal([]);
    expect(new Tale().map(A, PFN).lost().map(A, PFN).told()).to.deep.equal([]);
    const named = new Tale();
    for (let n = 0; n < 20; n += 1) named.dmaMap(NIC, A, PFN).dmaUnmap(NIC, A);
    named.dmaMap(NIC, A, PFN).flush(undefined, { after: 9000 });
    expect(named.told()).to.deep.equal([]);
  });

  it('says whose mapping was never unmapped, since when and among how many', () => {
    const tale = new Tale()
      .rounds(20)
      .map(A, PFN, 1, { pid: 8 })
      .map(A + PAGE, 3, 1, { pid: 9, after: 1000 })
      .flush(undefined, { after: 5000 });
    const [finding, ...others] = tale.findings().list;
    expect(others).to.deep.equal([]);
    expect(finding?.assumptions).to.deep.equal(['ran-to-end', 'nothing-lost']);
    expect(finding?.text).to.equal(
      '2 mappings by task 8 never unmapped, the oldest of 4096 bytes since 6 ms, ' +
        'while 20 like it lived at most 100 us',
    );
    expect(finding?.evidence.map(({ event }) => event.line)).to.deep.equal([41]);
  });

  it('takes what has many of its like, or what an unmap may have meant, for no leak', () => {
    const many = new Tale().rounds(20);
    for (let n = 0; n < 6; n += 1) many.map(A + n * PAGE, PFN + n);
    expect(many.flush(undefined, { after: 5000 }).told()).to.deep.equal([]);
    const doubtful = new Tale()
      .rounds(20)
      .map(A, PFN)
      .map(A, PFN + 1)
      .unmap(A);
    expect(doubtful.flush(undefined, { after: 5000 }).told()).to.deep.equal([]);
  });
});
