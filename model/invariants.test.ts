import { expect } from 'chai';
import { COUNTER, KIND, SPEC, VIEW } from './index.ts';
import { viewOf } from './judged.test.ts';
import { translation } from './units.ts';
import {
  broken,
  brokenOn,
  type Cells,
  IO_PAGES,
  invariant,
  MACHINE,
  MAPPED,
  viewWith,
} from './viewed.test.ts';
import { CONTEXT } from './world.ts';

describe('INVARIANTS', () => {
  it('hold on a view in order', () => {
    for (const each of SPEC.invariants) {
      if (each.form === 'state') expect(brokenOn(each, viewWith(), MACHINE), each.text).to.equal(undefined);
    }
  });

  it('have sentences of their own, and say which columns they read', () => {
    const texts = SPEC.invariants.map(({ text }) => text);
    expect(new Set(texts).size).to.equal(texts.length);
    const ids = SPEC.invariants.map(({ id }) => id);
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
    const why =
      'devices and CPUs; with a queue and without; the reserve; what a device wrote, and what was moved';
    expect(twice, why).to.have.members(['I2', 'I1', 'P1', 'H2']);
    for (const { id, form, reads, text } of SPEC.invariants) {
      expect(reads.length > 0, id).to.equal(form !== 'clause');
      expect(text, id).to.match(/^\S.* .*[^.]$/);
    }
  });

  it('read what they say they read, and nothing else', () => {
    const everywhere = Object.fromEntries(Array.from({ length: 3 * IO_PAGES }, (_, at) => [at, 6]));
    for (const each of SPEC.invariants) {
      if (each.form !== 'state') continue;
      const hidden = Object.entries(VIEW).filter(([, number]) => !each.reads.includes(number));
      const garbage = viewWith(Object.fromEntries(hidden.map(([name]) => [name, everywhere])));
      expect(brokenOn(each, garbage, MACHINE), each.text).to.equal(undefined);
    }
  });

  it('are there for every row of every rule, and every column of the view', () => {
    const ids = new Set(SPEC.invariants.map(({ id }) => id));
    const rules = Object.values(SPEC.rules);
    const served = rules.flatMap(({ refuse, accept }) =>
      [...refuse, ...accept].map(([, , serves]) => serves),
    );
    expect(served.filter((id) => !ids.has(id))).to.deep.equal([]);
    const call = { op: 'gpu_bind', args: {} };
    const shown = SPEC.view.flatMap(({ serves }) => [
      serves(0, 4, call),
      serves(7, 5, call),
      serves(5, 7, call),
    ]);
    expect(shown.filter((id) => !ids.has(id))).to.deep.equal([]);
  });
});

describe('I1', () => {
  it('is content with what awaits a flush, as it was', () => {
    const gone = { reach: { 3: 0 }, iotlb: { 3: translation(5, 3) } };
    expect(broken('I1', { ...gone, stale: { 3: translation(5, 3) } })).to.equal(undefined);
    for (const stale of [translation(5, 1), translation(4, 3)])
      expect(broken('I1', { ...gone, stale: { 3: stale } })).to.match(/ still translates to page 5$/);
  });

  it('finds what only the IOTLB still translates', () => {
    expect(broken('I1', { reach: { 3: 0 }, iotlb: { 3: translation(5, 3) } })).to.equal(
      'context 0 at 0xc0: the IOTLB still translates to page 5',
    );
  });

  it('asks a target without a queue for what it shows, and one with a queue for what awaits a flush', () => {
    const shown = (hidden: number, invalidation: string): (string | undefined)[] => {
      const view = viewWith({
        reach: { 3: 0 },
        iotlb: { 3: translation(5, 3) },
        stale: { 3: translation(5, 3) },
      });
      const machine = { ...MACHINE, policies: { invalidation } };
      const entries = SPEC.invariants.filter(({ id }) => id === 'I1');
      return entries.map((each) => brokenOn(each, { ...view, shown: ~(1 << hidden) }, machine));
    };
    const wrong = 'context 0 at 0xc0: the IOTLB still translates to page 5';
    expect(shown(VIEW.stale, 'strict')).to.include(wrong);
    for (const [hidden, invalidation] of [
      [VIEW.stale, 'lazy'],
      [VIEW.counter, 'strict'],
    ] as const)
      expect(shown(hidden, invalidation)).to.deep.equal([undefined, undefined]);
  });

  it('finds rights that only the IOTLB has', () => {
    expect(broken('I1', { iotlb: { [IO_PAGES + 2]: translation(4, 3) } })).to.equal(
      'context 1 at 0x80: the IOTLB still translates to page 4',
    );
  });
});

describe('I2', () => {
  it('finds a mapping of CPU addresses to a page that no user of memory holds', () => {
    const said = (kind: number, entry: number): string | undefined =>
      brokenOn(invariant('I2', VIEW.mapped), viewWith({ kind: { 5: kind }, mapped: { 2: entry } }), MACHINE);
    for (const kind of [KIND.BLOCK, KIND.BUFFER, KIND.COHERENT]) {
      expect(said(kind, MAPPED)).to.equal(undefined);
      expect(said(kind, MAPPED | 1)).to.equal(undefined);
    }
    for (const kind of [KIND.FREE, KIND.OCCUPIED, KIND.META, KIND.PARKED, KIND.POOLED, KIND.DEFERRED]) {
      for (const entry of [MAPPED, MAPPED | 1])
        expect(said(kind, entry)).to.equal('CPUs reach page 5, which no user of memory holds');
    }
    expect(said(KIND.BLOCK, 9 << 1)).to.equal('CPUs reach page 8, which no user of memory holds');
  });

  it('finds a device that reaches pages which no user of memory holds', () => {
    expect(broken('I2', { kind: { 5: KIND.COHERENT } })).to.equal(undefined);
    const wrong = [KIND.FREE, KIND.OCCUPIED, KIND.META, KIND.TABLE, KIND.LOST, KIND.BOTH];
    const kept = [KIND.MOVABLE, KIND.PARKED, KIND.POOLED, KIND.DEFERRED];
    for (const kind of [...wrong, ...kept]) {
      expect(broken('I2', { kind: { 5: kind } })).to.equal(
        'context 0 at 0xc0 reaches page 5, which no user of memory holds',
      );
    }
  });

  it('asks every I/O page, of contexts that exist', () => {
    const reach = { 0: translation(6, 1) };
    const found = 'context 0 at 0x0 reaches page 6, which no user of memory holds';
    expect(broken('I2', { reach })).to.equal(found);
    expect(broken('I2', { reach, context: { 0: CONTEXT.NONE } })).to.equal(undefined);
    expect(
      broken('I2', { reach: { [3 * IO_PAGES - 1]: translation(6, 1) }, context: { 2: CONTEXT.DMA } }),
    ).to.equal('context 2 at 0x3c0 reaches page 6, which no user of memory holds');
  });

  it('finds a device that reaches what is no memory', () => {
    const beyond = 'context 0 at 0xc0 reaches page 8, which no user of memory holds';
    expect(broken('I2', { reach: { 3: translation(8, 1) } })).to.equal(beyond);
  });
});

describe('I3', () => {
  it('finds a page of a buffer that is not bound in the context, or at another place', () => {
    const found = 'context 1 at 0x80 reaches page 4 of the buffer at page 4, which it did not bind';
    expect(broken('I3', { bound: { [IO_PAGES + 2]: 0 } })).to.equal(found);
    expect(broken('I3', { bound: { [IO_PAGES + 2]: 0, 2: 5 } })).to.equal(found);
    expect(broken('I3', { bound: { [IO_PAGES + 2]: 0, [IO_PAGES + 3]: 5 } })).to.equal(found);
    expect(broken('I3', { bound: { [IO_PAGES + 2]: 6 } })).to.equal(found);
    expect(broken('I3', { index: { 4: 1 } })).to.equal(found);
    expect(broken('I3', { index: { 4: 1 }, bound: { [IO_PAGES + 1]: 5 } })).to.equal(undefined);
    expect(broken('I3', { index: { 4: 2 }, bound: { [IO_PAGES]: 5 } }), 'bound at 0').to.equal(undefined);
    expect(broken('I3', { index: { 4: 3 }, bound: { [IO_PAGES - 1]: 5 } }), 'bound in context 0').to.equal(
      found,
    );
  });

  it('finds a page that belongs to no object, and asks GPU contexts alone', () => {
    const first = { context: { 0: CONTEXT.GPU }, reach: { 0: translation(5, 1), 3: 0 } };
    expect(broken('I3', first)).to.match(/^context 0 at 0x0 reaches page 5 of the buffer at page 5/);
    const changes = { head: { 4: 0, 5: 0 } };
    expect(broken('I3', changes)).to.match(/^context 1 at 0x80 reaches page 4 /);
    expect(broken('I3', { ...changes, context: { 1: CONTEXT.DMA } })).to.equal(undefined);
  });
});

describe('I6', () => {
  it('finds a device that is attached to what is no domain', () => {
    for (const type of [CONTEXT.UNMANAGED, CONTEXT.DMA])
      expect(broken('I6', { device: { 1: 3 }, context: { 2: type } })).to.equal(undefined);
    for (const type of [CONTEXT.NONE, CONTEXT.GPU]) {
      expect(broken('I6', { device: { 1: 3 }, context: { 2: type } })).to.equal(
        'device 1 is attached to a domain that does not exist',
      );
    }
    expect(broken('I6', { device: { 0: 4 } })).to.match(/^device 0 /);
  });
});

describe('I7', () => {
  const at = (ioPage: number, reservedIoPages: number): string | undefined =>
    broken('I7', { reach: { [IO_PAGES + ioPage]: translation(4, 1) } }, { ...MACHINE, reservedIoPages });

  it('finds translations of the last addresses, as many as are reserved', () => {
    expect([13, 14, 15].map((ioPage) => at(ioPage, 2))).to.deep.equal([
      undefined,
      'context 1 at 0x380 is reserved and translates',
      'context 1 at 0x3c0 is reserved and translates',
    ]);
    expect(at(15, 0)).to.equal(undefined);
  });
});

describe('H3', () => {
  it('finds a dirty line of a page that has an uncached mapping', () => {
    const [dirty, clean, none] = [2 << 18, 1 << 18, 7];
    const said = (mapped: number, line: number): string | undefined =>
      broken('H3', { mapped: { 9: mapped }, line: { 22: line } });
    expect(said(MAPPED, dirty)).to.equal('page 5 has uncached mappings, and its line 2 is dirty');
    for (const line of [clean, none]) expect(said(MAPPED, line)).to.equal(undefined);
    expect(said(MAPPED | 1, dirty), 'a cached mapping').to.equal(undefined);
    expect(said(7 << 1, dirty), 'another page').to.equal(undefined);
    expect(said(0, dirty)).to.equal(undefined);
  });
});

describe('C1', () => {
  it('finds pages that are lost, and pages that are free and owned', () => {
    expect(broken('C1', { kind: { 2: KIND.LOST } })).to.equal('page 2 is neither free nor owned by anybody');
    expect(broken('C1', { kind: { 5: KIND.BOTH } })).to.equal('page 5 is free and has an owner');
  });
});

describe('C2', () => {
  it('finds buffers that count too many references, or too few', () => {
    for (const refs of [1, 3]) {
      expect(broken('C2', { refs: { 4: refs } })).to.equal(
        `the buffer at page 4 counts ${refs} references and has 2 holders`,
      );
    }
    const gone = 'the buffer at page 4 counts 2 references and has 1 holders';
    expect(broken('C2', { handle: { 1: 0 } })).to.equal(gone);
    expect(broken('C2', { bound: { [IO_PAGES + 2]: 0 } })).to.equal(gone);
    expect(broken('C2', { context: { 1: CONTEXT.NONE } })).to.equal(gone);
    expect(broken('C2', { handle: { 5: 7 } })).to.equal(
      'the buffer at page 6 counts 0 references and has 1 holders',
    );
  });

  it('counts handles, descriptors, user mappings and bindings, and each of them once', () => {
    const held = { fd: { 0: 5, 9: 5 }, userMap: { 31: 5 } };
    expect(broken('C2', { ...held, refs: { 4: 5 } })).to.equal(undefined);
    expect(broken('C2', held)).to.equal('the buffer at page 4 counts 2 references and has 5 holders');
    const kernel = { kernelMaps: { 1: 3 }, handleCount: { 1: 2 }, mapped: { 2: MAPPED } };
    expect(broken('C2', kernel), 'they belong to the handle').to.equal(undefined);
  });
});

describe('C6', () => {
  /** Counters by the kind of the pages they count. */
  const COUNTED = {
    meta: KIND.META,
    table: KIND.TABLE,
    parked: KIND.PARKED,
    pooled: KIND.POOLED,
    deferred: KIND.DEFERRED,
    movable: KIND.MOVABLE,
  } as const;

  it('finds counters that a recount contradicts', () => {
    expect(broken('C6', { counter: { [COUNTER.free]: 6 } })).to.equal(
      '6 pages are counted as free, 5 are there',
    );
    for (const [name, kind] of Object.entries(COUNTED)) {
      const counter = { [COUNTER[name as 'meta']]: 1 };
      expect(broken('C6', { counter })).to.equal(`1 pages are counted as ${name}, 0 are there`);
      expect(broken('C6', { kind: { 5: kind } })).to.equal(`0 pages are counted as ${name}, 1 are there`);
      expect(broken('C6', { kind: { 5: kind }, counter }), name).to.equal(undefined);
    }
  });

  it('counts pages that are free and owned as free', () => {
    expect(broken('C6', { kind: { 5: KIND.BOTH } })).to.equal('5 pages are counted as free, 6 are there');
  });

  it('finds more parked pages than the machine parks', () => {
    const changes = { kind: { 5: KIND.PARKED }, counter: { [COUNTER.parked]: 1 } };
    expect(broken('C6', changes, { ...MACHINE, parked: 1 })).to.equal(undefined);
    expect(broken('C6', changes, { ...MACHINE, parked: 0 })).to.equal('1 pages are parked, at most 0 may');
  });

  it('counts kernel addresses by nothing', () => {
    expect(broken('C6', { counter: { [COUNTER.vmallocHole]: 9 } })).to.equal(undefined);
  });
});

describe('S1', () => {
  it('finds blocks that are not aligned, overlap, or do not fit', () => {
    const all = { kind: { 4: KIND.FREE, 5: KIND.FREE, 7: KIND.FREE } };
    const blocks = (freeOrder: Cells): string | undefined => broken('S1', { ...all, freeOrder });
    expect(blocks({ 4: 3, 6: 0 })).to.equal(undefined);
    expect(blocks({ 0: 1, 1: 2 })).to.equal('the free block at page 1 is not aligned to its order 1');
    expect(blocks({ 2: 2 })).to.equal('the free block at page 2 lies inside another');
    expect(blocks({ 0: 4 })).to.equal('the free block at page 0 is too large: its order is 3');
    const six = viewOf({ ...MACHINE, pages: 6 });
    for (const at of [0, 4]) six.columns[VIEW.freeOrder]?.fill(3, at, at + 1);
    const found = invariant('S1');
    const said = brokenOn(found, six, MACHINE);
    expect(said).to.equal('the free block at page 4 is too large: its order is 2');
  });

  it('finds buddies that are not merged', () => {
    expect(broken('S1', { freeOrder: { 0: 2, 2: 2 } })).to.equal(
      'the free blocks at pages 0 and 2 are buddies and not merged',
    );
    expect(broken('S1', { freeOrder: { 0: 1, 1: 1, 2: 2 } })).to.match(/pages 0 and 1 are buddies/);
    const largest = { kind: { 4: KIND.FREE, 5: KIND.FREE, 7: KIND.FREE }, freeOrder: { 4: 3, 6: 0 } };
    expect(broken('S1', largest, { ...MACHINE, orderMax: 3 })).to.match(/pages 0 and 4 are buddies/);
    expect(broken('S1', { kind: { 1: KIND.BLOCK }, freeOrder: { 0: 1, 2: 2 } })).to.equal(undefined);
  });

  it('finds free pages outside of blocks, and others inside', () => {
    expect(broken('S1', { kind: { 4: KIND.FREE } })).to.equal('free page 4 is in no free block');
    expect(broken('S1', { freeOrder: { 6: 0 } })).to.equal('free page 6 is in no free block');
    expect(broken('S1', { kind: { 6: KIND.META } })).to.equal('page 6 is in a free block and not free');
    expect(broken('S1', { kind: { 3: KIND.META } })).to.equal('page 3 is in a free block and not free');
    expect(broken('S1', { kind: { 3: KIND.BOTH } })).to.equal(undefined);
  });
});

describe('C3', () => {
  it('finds that fewer pages, or more, are free at the end than were at the start', () => {
    expect(broken('C3', { counter: { [COUNTER.free]: 7 } })).to.equal(undefined);
    for (const free of [6, 8]) {
      expect(broken('C3', { counter: { [COUNTER.free]: free } })).to.equal(
        `${free} pages are counted free although everything was given back; 7 were at the start`,
      );
    }
  });

  it('finds kernel addresses that were not given back', () => {
    expect(broken('C3', { counter: { [COUNTER.free]: 7, [COUNTER.vmallocUsed]: 2 } })).to.equal(
      '2 pages of kernel addresses are in use although everything was given back',
    );
  });

  it('counts with the free what is kept for later, and not what others hold', () => {
    const kept = { [COUNTER.free]: 4, [COUNTER.parked]: 1, [COUNTER.pooled]: 1, [COUNTER.deferred]: 1 };
    expect(broken('C3', { counter: kept })).to.equal(undefined);
    const movable = { ...MACHINE, movable: [[0, 2]] as const };
    expect(broken('C3', { counter: { [COUNTER.free]: 5, [COUNTER.movable]: 2 } }, movable)).to.equal(
      undefined,
    );
    expect(broken('C3', { counter: kept }, movable)).to.match(/; 5 were at the start$/);
  });
});
