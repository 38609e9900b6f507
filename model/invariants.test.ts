import { expect } from 'chai';
import { COUNTER, KIND, type Machine, type Reply, SPEC, VIEW, type View } from './index.ts';
import { machineWith, viewOf } from './judged.test.ts';
import { translation } from './units.ts';
import { CONTEXT } from './world.ts';

const MACHINE = machineWith({ pages: 8, occupied: [[7, 1]] });
const IO_PAGES = 16;

type Cells = Readonly<Record<number, number>>;
type Columns = Partial<Record<keyof typeof VIEW, Cells>>;

/**
 * A view in order: pages 0 to 3 are one free block, page 4 is a buffer that handle 1 of client 0 holds and GPU
 * context 1 has bound at I/O page 2, page 5 is a block, page 6 is free, and page 7 is somebody else's.
 */
function viewWith(changes: Columns = {}): View {
  const view = viewOf(MACHINE);
  const order: Columns = {
    kind: { 4: KIND.BUFFER, 5: KIND.BLOCK, 7: KIND.OCCUPIED },
    head: { 4: 5, 5: 6 },
    refs: { 4: 2 },
    freeOrder: { 0: 3, 6: 1 },
    context: { 0: CONTEXT.UNMANAGED, 1: CONTEXT.GPU },
    reach: { 3: translation(5, 3), [IO_PAGES + 2]: translation(4, 1) },
    iotlb: { [IO_PAGES + 2]: translation(4, 1) },
    handle: { 1: 5 },
    bound: { [IO_PAGES + 2]: 5 },
    counter: { [COUNTER.free]: 5 },
  };
  for (const columns of [order, changes]) {
    for (const [name, cells] of Object.entries(columns)) {
      const column = view.columns[VIEW[name as keyof typeof VIEW]];
      for (const [index, value] of Object.entries(cells)) if (column) column[Number(index)] = value;
    }
  }
  return view;
}

const invariant = (id: string): (typeof SPEC.invariants)[number] | undefined =>
  SPEC.invariants.find((each) => each.id === id);

/** What an invariant says about a view. */
function broken(id: string, changes: Columns, machine: Machine = MACHINE): string | undefined {
  const found = invariant(id);
  if (found?.form !== 'state' && found?.form !== 'end') throw new Error(`${id} is not asked of a view`);
  return found.broken(viewWith(changes), machine);
}

describe('INVARIANTS', () => {
  it('hold on a view in order', () => {
    for (const { id, form } of SPEC.invariants) {
      if (form === 'state') expect(broken(id, {}), id).to.equal(undefined);
    }
  });

  it('have ids of their own, and say which columns they read', () => {
    const ids = SPEC.invariants.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, form, reads, text } of SPEC.invariants) {
      expect(reads.length > 0, id).to.equal(form !== 'clause');
      expect(text, id).to.match(/^\S.* .*[^.]$/);
    }
  });

  it('read what they say they read, and nothing else', () => {
    const everywhere = Object.fromEntries(Array.from({ length: 3 * IO_PAGES }, (_, at) => [at, 6]));
    for (const { id, form, reads } of SPEC.invariants) {
      if (form !== 'state') continue;
      const hidden = Object.entries(VIEW).filter(([, number]) => !reads.includes(number));
      const garbage = hidden.map(([name]) => [name, everywhere]);
      expect(broken(id, Object.fromEntries(garbage)), id).to.equal(undefined);
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
  it('finds what only the IOTLB still translates', () => {
    expect(broken('I1', { reach: { 3: 0 }, iotlb: { 3: translation(5, 3) } })).to.equal(
      'context 0 at 0xc0: the IOTLB still translates to page 5',
    );
  });

  it('finds rights that only the IOTLB has', () => {
    expect(broken('I1', { iotlb: { [IO_PAGES + 2]: translation(4, 3) } })).to.equal(
      'context 1 at 0x80: the IOTLB still translates to page 4',
    );
  });
});

describe('I2', () => {
  it('finds a device that reaches pages which no user of memory holds', () => {
    for (const kind of [KIND.FREE, KIND.OCCUPIED, KIND.META, KIND.TABLE, KIND.LOST, KIND.BOTH]) {
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
});

describe('C6', () => {
  it('finds counters that a recount contradicts', () => {
    expect(broken('C6', { counter: { [COUNTER.free]: 6 } })).to.equal(
      '6 free pages are counted, 5 are there',
    );
    expect(broken('C6', { counter: { [COUNTER.meta]: 1 } })).to.equal(
      '1 metadata pages are counted, 0 are there',
    );
    expect(broken('C6', { kind: { 5: KIND.TABLE } })).to.equal('0 table pages are counted, 1 are there');
    expect(broken('C6', { kind: { 5: KIND.META }, counter: { [COUNTER.meta]: 1 } })).to.equal(undefined);
  });

  it('counts pages that are free and owned as free', () => {
    expect(broken('C6', { kind: { 5: KIND.BOTH } })).to.equal('5 free pages are counted, 6 are there');
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
    const said = found?.form === 'state' && found.broken(six, MACHINE);
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

describe('C4', () => {
  const call = { op: 'ion_alloc', args: {} };

  function saidAfter(reply: Reply, meta: number): string | undefined {
    const found = invariant('C4');
    if (found?.form !== 'step') throw new Error('C4 is not asked of a step');
    const before = found.before(viewWith({ counter: { [COUNTER.meta]: 2 } }));
    return found.broken(before, viewWith({ counter: { [COUNTER.meta]: meta } }), call, reply);
  }

  it('finds metadata that a failed call left behind', () => {
    expect(saidAfter({ errno: 'ENOMEM' }, 4)).to.equal('the call failed and left 2 pages of metadata behind');
    for (const meta of [1, 2]) expect(saidAfter({ errno: 'ENOMEM' }, meta)).to.equal(undefined);
    expect(saidAfter({ ok: {} }, 4)).to.equal(undefined);
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
});
