import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Finding } from '../finding.ts';
import type { Command, Script } from '../script.ts';
import { ALLOC, FINDING, KVMALLOC, ops, script } from './examples.test.ts';
import { isSmaller, measure } from './measure.ts';
import { PASSES, shrink } from './shrink.ts';

const client = (as: string): Command => ({ op: 'ion_client_create', as });
const buffer = (name: string): Command => ({
  op: 'ion_alloc',
  client: name,
  bytes: 64,
  heaps: ['iommu'],
  flags: 'uncached',
});

const kvmalloc = (bytes: number): Command => ({ op: 'kvmalloc', bytes, as: `memory${bytes}` });
const alloc = (order: number, as: string): Command => ({ op: 'alloc_pages', order, as });
const isPlain = ({ machine }: Script): boolean => Object.keys(machine).length === 0;

/** A start, what must stay true, the pass without which it ends larger, and the end. */
interface Case {
  readonly pass: string;
  readonly from: Script;
  fails(script: Script): boolean;
  readonly to: Script;
}

const SHARED: readonly Command[] = [
  client('one'),
  ALLOC,
  { ...buffer('one'), as: 'h' },
  ALLOC,
  { op: 'ion_share', client: 'one', handle: 'h', as: 'f' },
  ALLOC,
  { op: 'ion_sg_table', client: 'one', handle: 'h' },
];

const context: Command = { op: 'gpu_context_create', client: 'c' };
const CONTEXT: readonly Command[] = [client('c'), { ...context, as: 'g' }];

const CASES: readonly Case[] = [
  {
    pass: 'dependence slice',
    from: script(SHARED),
    fails: (s) =>
      isPlain(s) &&
      [7, 4].includes(s.commands.length) &&
      !ops(s).match(/alloc_pages.*share$/) &&
      (s.commands.length === 7 || !ops(s).includes('alloc_pages')),
    to: script(SHARED.filter((command) => command !== ALLOC)),
  },
  {
    pass: 'truncate',
    from: script([0, 1, 2, 3].map((order) => ({ ...ALLOC, order }))),
    fails: (s) => isPlain(s) && /^0(123|1)$/.test(s.commands.map(({ order = '-' }) => order).join('')),
    to: script([0, 1].map((order) => ({ ...ALLOC, order }))),
  },
  {
    pass: 'remove commands',
    from: script([ALLOC, { ...ALLOC, order: 1 }, KVMALLOC, { op: 'drain' }]),
    fails: (s) =>
      isPlain(s) && /^(alloc_pages,)+kvmalloc,drain$/.test(ops(s)) && s.commands[0]?.['order'] === 0,
    to: script([ALLOC, KVMALLOC, { op: 'drain' }]),
  },
  {
    pass: 're-point references',
    from: script([client('one'), client('two'), buffer('one'), buffer('two')]),
    fails: (s) => isPlain(s) && ops(s).endsWith('ion_alloc,ion_alloc'),
    to: script([client('two'), buffer('two'), buffer('two')]),
  },
  {
    pass: 'remove pairs',
    from: script([alloc(0, 'a'), { ...KVMALLOC, as: 'm' }, alloc(1, 'b'), { op: 'drain' }]),
    fails: (s) => isPlain(s) && /^(alloc_pages,kvmalloc,alloc_pages|kvmalloc),drain$/.test(ops(s)),
    to: script([{ ...KVMALLOC, as: 'm' }, { op: 'drain' }]),
  },
  {
    pass: 'fewer preemptions and actors',
    from: { ...script([{ ...ALLOC, as: 'a', actor: 'b' }]), schedule: [{ in: 'a', point: 1, to: 'c' }] },
    fails: (s) => isPlain(s) && ops(s) === 'alloc_pages',
    to: script([{ ...ALLOC, as: 'a' }]),
  },
  {
    pass: 'fewer faults',
    from: script([{ ...ALLOC, fail: { page: 3, kmalloc: 1 } }]),
    fails: (s) => isPlain(s) && ops(s) === 'alloc_pages' && Number(s.commands[0]?.fail?.['page']) > 1,
    to: script([{ ...ALLOC, fail: { page: 2, kmalloc: 1 } }]),
  },
  {
    pass: 'a smaller machine instead of commands',
    from: script([alloc(1, 'a'), KVMALLOC]),
    fails: (s) => ops(s) === (s.machine['pages'] === 3 ? 'kvmalloc' : 'alloc_pages,kvmalloc'),
    to: script([KVMALLOC], { pages: 3 }),
  },
  {
    pass: 'redistribute',
    from: script([kvmalloc(64), kvmalloc(128), ALLOC]),
    fails: (s) =>
      isPlain(s) &&
      ops(s).endsWith('kvmalloc,alloc_pages') &&
      s.commands.reduce((sum, { bytes = 0 }) => sum + Number(bytes), 0) === 192,
    to: script([{ ...kvmalloc(192), as: 'memory1' }, ALLOC]),
  },
  {
    pass: 'other calls',
    from: script([...CONTEXT, { op: 'gpu_context_destroy', context: 'g' }, { ...context, as: 'h' }]),
    fails: (s) =>
      isPlain(s) &&
      /^ion_client_create,gpu_context_create,(gpu_context_destroy,gpu_context_create|device_probe)$/.test(
        ops(s),
      ),
    to: script([...CONTEXT, { op: 'device_probe', through: 'g' }]),
  },
  {
    pass: 'another kind of thing',
    from: script([alloc(0, 'b'), ...[1, 2].map((n) => ({ op: 'vmap', pages: ['b'], as: `vmap${n}` }))]),
    fails: (s) => isPlain(s) && /^(alloc_pages,vmap,vmap|vmalloc,vmalloc)$/.test(ops(s)),
    to: script([1, 2].map((n) => ({ op: 'vmalloc', bytes: 64, as: `area${n}` }))),
  },
  {
    pass: 'least arguments',
    from: script([
      { ...ALLOC, order: 3 },
      { ...KVMALLOC, bytes: 128 },
    ]),
    fails: (s) =>
      isPlain(s) && /^(3,128|0,64)$/.test([s.commands[0]?.['order'], s.commands[1]?.['bytes']].join()),
    to: script([ALLOC, KVMALLOC]),
  },
  {
    pass: 'smaller arguments',
    from: script([{ ...ALLOC, order: 3 }]),
    fails: (s) => isPlain(s) && Number(s.commands[0]?.['order']) >= 2,
    to: script([{ ...ALLOC, order: 2 }]),
  },
  {
    pass: 'defaults',
    from: script([ALLOC], { contexts: 1, policies: { placement: 'lifo', coherent: 'no' } }),
    fails: ({ commands, machine }) => commands.length === 1 && machine.policies?.['placement'] === 'lifo',
    to: script([ALLOC], { policies: { placement: 'lifo' } }),
  },
  {
    pass: 'few pages instead of held ones',
    from: script([ALLOC], {
      occupied: [
        [1, 1],
        [3, 4],
        [9, 1],
      ],
    }),
    fails: ({ commands, machine }) =>
      commands.length === 1 &&
      (machine['pages'] === 6 ? machine.occupied === undefined : machine.occupied?.length === 3),
    to: script([ALLOC], { pages: 6 }),
  },
  {
    pass: 'smaller machine',
    from: script([ALLOC], { pages: 32 }),
    fails: ({ commands, machine }) => commands.length === 1 && Number(machine['pages']) >= 13,
    to: script([ALLOC], { pages: 13 }),
  },
  {
    pass: 'fewer occupied pages',
    from: script([ALLOC], {
      occupied: [
        [1, 1],
        [3, 4],
        [9, 1],
      ],
    }),
    fails: ({ commands, machine }) =>
      commands.length === 1 &&
      !('pages' in machine) &&
      (machine.occupied ?? []).some(([first]) => first === 3),
    to: script([ALLOC], { occupied: [[3, 1]] }),
  },
];

describe('the passes', () => {
  it('has a case for every pass', () => {
    expect(CASES.map(({ pass }) => pass)).to.have.members(PASSES.map(({ name }) => name));
  });

  for (const { pass, from, fails, to } of CASES) {
    it(`needs the pass "${pass}"`, () => {
      const run = (s: Script): Finding | undefined => (fails(s) ? FINDING : undefined);
      expect(fails(from)).to.equal(true);
      expect(shrink(SPEC, from, FINDING, run).script).to.deep.equal(to);
      const others = PASSES.filter(({ name }) => name !== pass);
      const larger = shrink(SPEC, from, FINDING, run, others).script;
      expect(isSmaller(measure(to, SPEC), measure(larger, SPEC)), JSON.stringify(larger)).to.equal(true);
    });
  }
});
