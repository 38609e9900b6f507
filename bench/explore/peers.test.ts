import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { searchNaively } from './naive.ts';
import { ownC, type Peer, spin } from './peers.ts';
import { toyCounts } from './toy.ts';

describe('bench/explore: the toy elsewhere', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ionclad-peers-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Where there is the tool, it counts as the formula does; else it is said what is missing. */
  function expectCounts(peer: Peer, pages: number, missing: RegExp): void {
    if ('skipped' in peer) expect(peer.skipped).to.match(missing);
    else expect(peer.search()).to.include(toyCounts(pages));
  }

  it('has the same states and transitions in C, and naively', () => {
    for (const pages of [1, 2]) expectCounts(ownC(folder, pages), pages, /^no C compiler here/);
    expect(searchNaively(1)).to.deep.equal(toyCounts(1));
  });

  it('has the same in SPIN, whether it keeps states or bits of them', () => {
    for (const bitstate of [false, true])
      expectCounts(spin(folder, 1, { bitstate }), 1, /^spin: not installed$|^no C compiler here/);
  }).timeout(60_000);

  it('says so where there is no SPIN', () => {
    expect(spin(folder, 1, { command: 'no-such-spin' })).to.deep.equal({
      skipped: 'no-such-spin: not installed',
    });
  });
});
