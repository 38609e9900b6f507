import { expect } from 'chai';
import { type Args, type Call, SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { machineOf } from './machine.ts';
import { compile } from './program.ts';
import { type Command, type Script, ScriptError } from './script.ts';
import { slotCall } from './slot-call.ts';
import { Stepper } from './stepper.ts';

const scriptOf = (commands: readonly Command[]): Script => ({ format: 1, machine: {}, commands });

const compiled = (commands: readonly Command[]): ReturnType<typeof compile> =>
  compile(SPEC, scriptOf(commands), machineOf(SPEC, {}));

function pathOf(commands: readonly Command[]): string {
  try {
    compiled(commands);
  } catch (cause) {
    if (cause instanceof ScriptError) return cause.path;
    throw cause;
  }
  return 'none';
}

/** The calls that a script makes on the built-in target. */
function callsOf(commands: readonly Command[]): readonly Call[] {
  const target = builtin();
  const stepper = new Stepper(SPEC, target);
  const calls: Call[] = [];
  target.boot(stepper.begin(scriptOf(commands)));
  for (let call = stepper.next(); call !== undefined; call = stepper.next()) {
    calls.push(call);
    expect(stepper.give(target.apply(call), target)).to.equal(undefined);
  }
  return calls;
}

/** The arguments of the calls of one name. */
const sent = (commands: readonly Command[], op: string): Args[] =>
  callsOf(commands)
    .filter((call) => call.op === op)
    .map(({ args }) => args);

const CLIENT = { op: 'ion_client_create', as: 'c' };
const HANDLE = { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'uncached', as: 'h' };
const BLOCK = { op: 'alloc_pages', order: 1, as: 'b' };
const DOMAIN = { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'd' };
const DMA = { op: 'iommu_domain_alloc', type: 'dma', as: 'd' };
const ATTACH = { op: 'iommu_attach_device', domain: 'd', device: 0, as: 'a' };
const COHERENT = { op: 'dma_alloc_coherent', device: 'a', bytes: 64, as: 'c' };
/** What every script ends with: nothing is kept for later. */
const EMPTYING = ['shrink', 'drain'];
const MAP = { op: 'iommu_map', domain: 'd', iova: 64, bytes: 64, prot: 'both' };

describe('compile', () => {
  it('numbers slots like commands, and lets the specification give everything back in its order', () => {
    const steps = compiled([BLOCK, CLIENT, DOMAIN]);
    expect(steps.map(({ op, own }) => [op, own])).to.deep.equal([
      ['alloc_pages', true],
      ['ion_client_create', true],
      ['iommu_domain_alloc', true],
      ['ion_client_destroy', false],
      ['iommu_domain_free', false],
      ['free_pages', false],
      ['shrink', false],
      ['drain', false],
    ]);
  });

  it('makes a closing call without arguments once, and none after a script without commands', () => {
    const ops = compiled([BLOCK, { ...BLOCK, as: 'e' }]).map(({ op }) => op);
    expect(ops.slice(2)).to.deep.equal(['free_pages', 'free_pages', 'shrink', 'drain']);
    const [, , , , shrink] = compiled([BLOCK, { ...BLOCK, as: 'e' }]);
    expect(shrink).to.deep.include({ fixed: {}, plans: [], own: false, actor: '' });
    expect(compiled([])).to.deep.equal([]);
  });

  it('turns a place into the address of the side that the call means', () => {
    const access = { at: { in: 'c', offset: 16 }, bytes: 16 };
    const steps = compiled([
      DMA,
      ATTACH,
      COHERENT,
      { op: 'cpu_read', ...access },
      { op: 'device_read', through: 'a', ...access },
    ]).slice(3, 5);
    const field = steps.map(({ plans }) => plans.find(({ is }) => is === 'place'));
    expect(field.map((plan) => plan && 'field' in plan && plan.field)).to.deep.equal(['cpu', 'dma']);
  });

  for (const [path, commands] of [
    ['commands[0].op', [{ op: 'alloc_page', order: 0 }]],
    ['commands[0].oder', [{ op: 'alloc_pages', order: 0, oder: 1 }]],
    ['commands[0].order', [{ op: 'alloc_pages' }]],
    ['commands[1].as', [BLOCK, { ...BLOCK, order: 0 }]],
    ['commands[1].block', [CLIENT, { op: 'free_pages', block: 'c' }]],
    ['commands[2].phys', [CLIENT, DOMAIN, { ...MAP, phys: { in: 'c', offset: 0 } }]],
    ['commands[1].pages', [CLIENT, { op: 'sg_alloc_table_from_pages', pages: ['c'], maxSegment: 64 }]],
  ] as const) {
    it(`names ${path} when it is wrong`, () => expect(pathOf(commands)).to.equal(path));
  }

  it('takes a name that no command gives for a result that is missing', () => {
    expect(pathOf([{ op: 'free_pages', block: 'gone' }])).to.equal('none');
    expect(callsOf([{ op: 'free_pages', block: 'gone' }]).map(({ op }) => op)).to.deep.equal(EMPTYING);
  });

  it('takes a name that is given only later for one that is missing', () => {
    expect(
      sent([{ op: 'free_pages', block: 'b' }, BLOCK], 'free_pages'),
      'by the closing step',
    ).to.have.lengthOf(1);
  });

  it('turns a step into a call with slots for another process', () => {
    const [, , , map] = compiled([
      BLOCK,
      CLIENT,
      DOMAIN,
      { ...MAP, phys: { in: 'b', offset: 64 }, fail: { table: 2 } },
    ]);
    expect(map && slotCall(map, 3)).to.deep.equal({
      op: 'iommu_map',
      args: {
        domain: { slot: 2, field: 'domain' },
        iova: 64,
        phys: { slot: 0, field: 'pfn', unit: 64, offset: 64 },
        bytes: 64,
        prot: 'both',
      },
      into: 3,
      fail: { table: 2 },
    });
  });
});

describe('resolving', () => {
  it('sends literals from 2^53 on as the nearest double', () => {
    const [args] = sent([CLIENT, { ...HANDLE, bytes: '0x8000000000000000' }], 'ion_alloc');
    expect(args).to.include({ bytes: 2 ** 63 });
  });

  it('sends an id that a user made up', () => {
    expect(sent([{ op: 'ion_free', client: 99, handle: '0x7' }], 'ion_free')).to.deep.equal([
      { client: 99, handle: 7 },
    ]);
  });

  it('sends a place as an address, in bytes', () => {
    const [args] = sent([BLOCK, DOMAIN, { ...MAP, phys: { in: 'b', offset: 64 } }], 'iommu_map');
    expect(args).to.include({ phys: 64 });
    const free = { op: 'alloc_pages', order: 0, as: 'first' };
    const [moved] = sent([free, BLOCK, DOMAIN, { ...MAP, phys: { in: 'b', offset: 64 } }], 'iommu_map');
    expect(moved, 'the block starts at page 2').to.include({ phys: 192 });
  });

  it('sends the address of the side that the call means', () => {
    const access = { at: { in: 'c', offset: 16 }, bytes: 16 };
    const commands = [DMA, ATTACH, COHERENT, { op: 'cpu_write', ...access, tag: 7 }];
    const vmalloc = 64 * 64;
    const [cpu] = sent(commands, 'cpu_write');
    expect(cpu?.['at']).to.be.within(vmalloc, 2 * vmalloc);
    const [device] = sent([...commands, { op: 'device_read', through: 'a', ...access }], 'device_read');
    expect(device?.['at']).to.be.within(64, vmalloc);
  });

  it('skips the parts of a block that was split, and gives the split back', () => {
    const split = { op: 'split_page', block: 'b', as: 's' };
    const ops = callsOf([BLOCK, split, { op: 'free_pages', block: 'b' }]).map(({ op }) => op);
    expect(ops).to.deep.equal(['alloc_pages', 'split_page', 'free_pages_exact', ...EMPTYING]);
  });

  it('sends a named field of a result', () => {
    const table = { op: 'sg_alloc_table_from_pages', pages: ['b'], maxSegment: 512, as: 't' };
    const commands = [BLOCK, table, { op: 'ion_free', client: 't.segments', handle: 1 }];
    expect(sent(commands, 'ion_free')).to.deep.equal([{ client: 1, handle: 1 }]);
  });

  it('sends what a user consumed with the raw id it had', () => {
    const free = { op: 'ion_free', client: 'c', handle: 'h' };
    expect(sent([CLIENT, HANDLE, free, free], 'ion_free')).to.deep.equal([
      { client: 0, handle: 1 },
      { client: 0, handle: 1 },
    ]);
  });

  it('skips what the kernel consumed, in references, lists and places', () => {
    const free = { op: 'free_pages', block: 'b' };
    expect(sent([BLOCK, free, free], 'free_pages')).to.have.lengthOf(1);
    const list = { op: 'sg_alloc_table_from_pages', pages: ['b'], maxSegment: 64 };
    expect(sent([BLOCK, free, list], 'sg_alloc_table_from_pages')).to.deep.equal([]);
    expect(sent([BLOCK, DOMAIN, free, { ...MAP, phys: { in: 'b', offset: 0 } }], 'iommu_map')).to.deep.equal(
      [],
    );
  });

  it('does not count as consumed what a call failed to consume', () => {
    const other = { op: 'ion_client_create', as: 'other' };
    const wrong = { op: 'ion_free', client: 'other', handle: 'h' };
    const replies = sent([CLIENT, other, HANDLE, wrong, { ...wrong, client: 'c' }], 'ion_free');
    expect(replies).to.deep.equal([
      { client: 1, handle: 1 },
      { client: 0, handle: 1 },
    ]);
  });

  it('skips commands whose producer failed', () => {
    const block = { op: 'alloc_pages', order: 60, as: 'b' };
    const ops = callsOf([block, { op: 'free_pages', block: 'b' }]).map(({ op }) => op);
    expect(ops).to.deep.equal(['alloc_pages', ...EMPTYING]);
  });

  it('gives back what is left, and nothing twice', () => {
    const ops = callsOf([BLOCK, { op: 'free_pages', block: 'b' }, { ...BLOCK, as: 'e' }, CLIENT, HANDLE]).map(
      ({ op }) => op,
    );
    expect(ops.slice(5)).to.deep.equal(['ion_client_destroy', 'free_pages', ...EMPTYING]);
  });
});
