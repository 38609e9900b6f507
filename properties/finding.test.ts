import { expect } from 'chai';
import {
  causeOf,
  type Finding,
  identityOf,
  describe as inWords,
  isSameFinding,
  showCall,
  showReply,
} from './finding.ts';

const FINDING: Finding = {
  kind: 'view',
  command: 3,
  call: {
    op: 'ion_alloc',
    args: { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' },
    fail: { page: 2 },
  },
  serves: 'C1',
  clause: 'kind',
  layer: 'ion',
  detail: 'page 3 is lost',
};

describe('a finding as data', () => {
  it('stays the same when only its place, its call and its words change', () => {
    const moved = { ...FINDING, command: 0, call: { op: 'ion_free', args: {} }, detail: 'page 1 is lost' };
    expect(isSameFinding(FINDING, moved)).to.equal(true);
  });

  it('is another when its kind, invariant, clause, layer or premise is', () => {
    const others: Partial<Finding>[] = [
      { kind: 'invariant' },
      { serves: 'C2' },
      { clause: 'head' },
      { layer: 'gpu' },
      { premise: 'T1' },
    ];
    for (const other of others) expect(isSameFinding(FINDING, { ...FINDING, ...other })).to.equal(false);
    expect(identityOf({ ...FINDING, premise: 'T1' })).to.equal('view|C1|kind|ion|T1');
  });
});

describe('a finding in words', () => {
  const call = 'ion_alloc(client 0, bytes 64, heaps [iommu], flags cached, page fails at 2)';

  it('names the call with its resolved arguments and faults', () => {
    expect(showCall(FINDING.call)).to.equal(call);
    expect(showCall({ op: 'ion_client_create', args: {} })).to.equal('ion_client_create()');
  });

  it('says whose fault it is', () => {
    expect(inWords(FINDING)).to.equal(`${call}: C1 broken: page 3 is lost`);
    expect(inWords({ ...FINDING, kind: 'crash' })).to.include('the target failed: page 3 is lost');
    expect(inWords({ ...FINDING, kind: 'specification' })).to.include('the specification breaks its own C1');
  });

  it('shows replies', () => {
    expect(showReply({ errno: 'ENOMEM' })).to.equal('ENOMEM');
    expect(showReply({ ok: {} })).to.equal('ok');
    expect(showReply({ ok: { handle: 1, pages: [3, 4] } })).to.equal('handle 1, pages [3 4]');
  });

  it('shows what was thrown, whatever it is', () => {
    expect([new Error('gone'), 'gone', 7].map(causeOf)).to.deep.equal(['gone', 'gone', '7']);
  });
});
