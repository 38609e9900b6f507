import { expect } from 'chai';
import {
  type Args,
  type Call,
  type CallShape,
  isDue,
  type Rule,
  SPEC,
  type Value,
  type World,
} from '../../model/index.ts';
import { Judgement } from '../lockstep.ts';
import { limitsOf, machineOf } from '../machine.ts';
import type { ScriptMachine } from '../script.ts';
import { firstRows, noCounts } from '../tally.ts';
import { Moves } from './moves.ts';
import { type Question, type Replies, repliesTo, type Space, widthOf } from './replies.ts';

const MACHINE: ScriptMachine = { pages: 4, orderMax: 1, vmallocPages: 3, ioBits: 8, clients: 1, handles: 2 };
const { terms } = new Judgement(SPEC, new Set(['page-numbers']), noCounts(firstRows(SPEC).rows));

function questionOf(world: World, { op, args }: Call): Question<World> {
  const shape = SPEC.calls[op] ?? expect.fail(`there is no ${op}`);
  const rule = SPEC.rules[op] ?? expect.fail(`${op} has no rule`);
  const { sites = [] } = shape;
  return { shape, rule, world, args, seen: { fired: [], view: undefined }, terms, faults: sites, fixed: {} };
}

const booted = (machine: ScriptMachine = MACHINE): World => SPEC.boot(machineOf(SPEC, machine), true);

const spaceOf = (machine: ScriptMachine = MACHINE): Space => ({
  limits: limitsOf(SPEC, machineOf(SPEC, machine)),
  opaque: 1,
  counted: 0,
});

const ask = (world: World, call: Call, triedMax?: number): Replies =>
  repliesTo(questionOf(world, call), spaceOf(), triedMax);

const alloc = (order: number): Call => ({ op: 'alloc_pages', args: { order } });

/** Every value of the form, made before any rule is asked. */
function* everyValue({ gives }: CallShape, space: Space): Generator<Value> {
  /** Content with everything, and reads nothing. */
  const rule: Rule<World, Args, Value> = {
    require: [],
    refuse: [],
    may: [],
    accept: [],
    effect() {},
    owes: () => '',
  };
  const shape: CallShape = {
    layer: '',
    by: 'kernel',
    text: '',
    args: {},
    ...(gives === undefined ? {} : { gives }),
  };
  const { values, isCut } = repliesTo({ ...questionOf(booted(), alloc(0)), rule, shape }, space, 1e6);
  expect(isCut).to.equal(false);
  yield* values;
}

describe('replies', () => {
  it('are every value that is right and every errno, in order', () => {
    const world = booted();
    expect(ask(world, alloc(1))).to.deep.equal({
      values: [{ pfn: 0 }, { pfn: 2 }],
      errnos: [{ errno: 'ENOMEM' }],
      isCut: false,
      isRefused: false,
    });
    SPEC.rules['alloc_pages']?.effect(world, { order: 0 }, { pfn: 1 });
    expect(ask(world, alloc(1)).values).to.deep.equal([{ pfn: 2 }]);
    expect(ask(world, alloc(0)).values).to.deep.equal([{ pfn: 0 }, { pfn: 2 }, { pfn: 3 }]);
  });

  it('are no values where an errno is owed', () => {
    const { values, errnos, isRefused } = ask(booted(), alloc(60));
    expect({ values, isRefused }).to.deep.equal({ values: [], isRefused: true });
    expect(errnos).to.deep.equal([{ errno: 'EINVAL' }, { errno: 'ENOMEM', fired: ['page'] }]);
  });

  it('are the errnos of faults too, each with the first site that may cause it', () => {
    const { errnos } = ask(booted(), {
      op: 'occupy',
      args: { pfn: 0, count: 1, mobility: 'unmovable', tag: 1 },
    });
    expect(errnos).to.deep.equal([
      { errno: 'EBUSY' },
      { errno: 'EMFILE', fired: ['id'] },
      { errno: 'ENOSPC', fired: ['id'] },
      { errno: 'ENOMEM', fired: ['id'] },
    ]);
  });

  it('of calls that give nothing are one', () => {
    expect(ask(booted(), { op: 'drain', args: {} }).values).to.deep.equal([{}]);
  });

  it('of a call that gives lists are every selection of pages that nobody holds', () => {
    const world = booted();
    SPEC.rules['ion_client_create']?.effect(world, {}, { client: 0 });
    const args = { client: 0, bytes: 128, heaps: ['iommu'], flags: 'cached' };
    const { values } = ask(world, { op: 'ion_alloc', args });
    expect(values, '2 handles, 4 * 3 pages').to.have.lengthOf(24);
    expect(values.every((value) => Array.isArray(value['pages']) && value['pages'].length === 2)).to.equal(
      true,
    );
    expect(new Set(values.map((value) => JSON.stringify(value))).size).to.equal(24);
    expect(ask(world, { op: 'ion_alloc', args: { ...args, heaps: ['system-contig'] } }).values).to.deep.equal(
      [
        { handle: 1, pages: [0, 1] },
        { handle: 1, pages: [2, 3] },
        { handle: 2, pages: [0, 1] },
        { handle: 2, pages: [2, 3] },
      ],
    );
  });

  it('are what was asked for, though it is outside of what is given otherwise', () => {
    const world = booted();
    SPEC.rules['iommu_domain_alloc']?.effect(world, { type: 'unmanaged' }, { domain: 0 });
    SPEC.rules['alloc_pages']?.effect(world, { order: 0 }, { pfn: 0 });
    for (const iova of [0, 192, 256, 2 ** 60]) {
      const args = { domain: 0, iova, phys: 0, bytes: 0, prot: 'both' };
      expect(ask(world, { op: 'iommu_map', args }).values).to.deep.equal([{ iova }]);
    }
  });

  it('are plain data', () => {
    const world = booted();
    SPEC.rules['ion_client_create']?.effect(world, {}, { client: 0 });
    const args = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' };
    const [value = {}] = ask(world, { op: 'ion_alloc', args }).values;
    expect(structuredClone(value)).to.deep.equal({ handle: 1, pages: [0] });
  });

  it('are said to be cut where there are more than may be tried', () => {
    const all = ask(booted(), alloc(0));
    expect(all.values).to.have.lengthOf(4);
    expect(ask(booted(), alloc(0), 4), 'all were tried').to.deep.equal(all);
    expect(ask(booted(), alloc(0), 3)).to.deep.equal({ ...all, values: all.values.slice(0, 3), isCut: true });
  });

  it('leave out nothing that would be right', () => {
    const machine = { ...MACHINE, pages: 2, vmallocPages: 2 };
    const space = spaceOf(machine);
    const world = booted(machine);
    const asked = new Set<string>();
    SPEC.rules['ion_client_create']?.effect(world, {}, { client: 0 });
    SPEC.rules['alloc_pages']?.effect(world, { order: 0 }, { pfn: 1 });
    const moves = new Moves(SPEC, { machine, few: 2, depth: 1 }, Object.keys(SPEC.calls));
    const count = moves.enter(world, { faults: 0, overlaps: 0 });
    for (let at = 0; at < count; at++) {
      const { call } = moves.at(at);
      const question = questionOf(world, call);
      if (!isDue(question.rule, world, call.args)) continue;
      if ((question.shape.gives?.fields['data'] ?? question.shape.gives?.fields['segments']) !== undefined)
        continue;
      const { values, isRefused } = repliesTo(question, space);
      if (isRefused) continue;
      asked.add(call.op);
      const right = [...everyValue(question.shape, space)].filter((ok) =>
        question.rule.accept.every(([, holds]) => holds(world, call.args, ok, question.seen)),
      );
      const text = (list: readonly Value[]): string[] => list.map((value) => JSON.stringify(value)).sort();
      expect(text(values), JSON.stringify(call)).to.deep.equal(text(right));
    }
    expect([...asked]).to.include.members(['alloc_pages', 'ion_alloc', 'kvmalloc', 'vmap', 'ion_query']);
  });

  it('know how many values a form leaves', () => {
    const fieldsOf = (op: string): NonNullable<CallShape['gives']>['fields'] =>
      SPEC.calls[op]?.gives?.fields ?? {};
    const width = (op: string, field: string, space = spaceOf()): number =>
      widthOf(fieldsOf(op)[field] ?? expect.fail(field), space);
    expect(width('alloc_pages', 'pfn')).to.equal(4);
    expect(width('ion_alloc', 'handle')).to.equal(2);
    expect(width('ion_alloc', 'pages')).to.be.above(1);
    expect(width('ion_client_create', 'client')).to.equal(1);
    expect(width('tick_flush', 'flushes')).to.equal(2);
    expect(width('cpu_read', 'data'), 'tags 0 and 1, and one for all others').to.equal(3);
    const { opaque: _, ...every } = spaceOf();
    expect(width('cpu_read', 'data', every)).to.equal(256);
  });

  it('find every limit that the table names', () => {
    for (const { gives } of Object.values(SPEC.calls))
      for (const shape of Object.values(gives?.fields ?? {}))
        expect(widthOf(shape, spaceOf())).to.be.above(0);
  });
});
