import { expect } from 'chai';
import { type Args, type Call, SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { machineOf } from './machine.ts';
import { compile } from './program.ts';
import { scriptOf } from './record.ts';
import type { Script } from './script.ts';

const call = (op: string, args: Args): Call => ({ op, args });

/** The script of calls on a small machine. It must compile. */
function recorded(...calls: readonly Call[]): Script {
  const script = scriptOf(
    SPEC,
    builtin(),
    { pages: 16, parked: 0 },
    calls.map((each) => ({ call: each })),
  );
  compile(SPEC, script, machineOf(SPEC, script.machine));
  return script;
}

const ALLOC = call('alloc_pages', { order: 0 });
const free = (block: number): Call => call('free_pages', { block });

describe('scriptOf', () => {
  it('names results by kind and place, and refers to the latest with an id', () => {
    expect(recorded(ALLOC, ALLOC, free(0), ALLOC, free(0)).commands).to.deep.equal([
      { op: 'alloc_pages', order: 0, as: 'block1' },
      { op: 'alloc_pages', order: 0, as: 'block2' },
      { op: 'free_pages', block: 'block1' },
      { op: 'alloc_pages', order: 0, as: 'block4' },
      { op: 'free_pages', block: 'block4' },
    ]);
  });

  it('gives no name twice when a call fails', () => {
    const commands = recorded(call('alloc_pages', { order: 60 }), ALLOC, ALLOC).commands;
    expect(commands.map(({ as }) => as)).to.deep.equal(['block1', 'block2', 'block3']);
  });

  it('leaves ids that nothing has as they are', () => {
    const commands = recorded(call('ion_free', { client: 3, handle: 9 })).commands;
    expect(commands).to.deep.equal([{ op: 'ion_free', client: 3, handle: 9 }]);
  });

  it('turns addresses into places, in what starts next below', () => {
    const domain = call('iommu_domain_alloc', { type: 'unmanaged' });
    const map = call('iommu_map', { domain: 0, iova: 0, phys: 3 * 64, bytes: 64, prot: 'both' });
    const [, , , last] = recorded(ALLOC, call('alloc_pages', { order: 1 }), domain, map).commands;
    expect(last)
      .to.include({ domain: 'domain3' })
      .and.have.deep.property('phys', { in: 'block2', offset: 64 });
  });

  it('names no block that is gone, even where one started', () => {
    const pair = call('alloc_pages', { order: 1 });
    const domain = call('iommu_domain_alloc', { type: 'unmanaged' });
    const map = call('iommu_map', { domain: 0, iova: 0, phys: 64, bytes: 64, prot: 'both' });
    const commands = recorded(ALLOC, ALLOC, free(0), free(1), pair, domain, map).commands;
    expect(commands.at(-1)).to.have.deep.property('phys', { in: 'block5', offset: 64 });
  });

  it('names coherent memory by where the side that is meant finds it', () => {
    const setup = [
      call('iommu_domain_alloc', { type: 'dma' }),
      call('iommu_attach_device', { domain: 0, device: 0 }),
      call('dma_alloc_coherent', { device: 4, bytes: 128 }),
    ];
    const machine = { pages: 16, parked: 0 };
    const target = builtin();
    target.boot(machineOf(SPEC, machine));
    const [, , given] = setup.map((each) => target.apply(each));
    const { cpu, dma } = given && 'ok' in given ? given.ok : expect.fail('there is no memory');
    expect(cpu).to.not.equal(dma);
    const ends = [
      call('cpu_write', { at: Number(cpu) + 80, bytes: 16, tag: 1 }),
      call('device_read', { through: 4, at: Number(dma) + 64, bytes: 16 }),
      call('cpu_read', { at: Number(cpu) - 16, bytes: 16 }),
    ];
    const [write, read, before] = recorded(...setup, ...ends).commands.slice(3);
    expect(write).to.have.deep.property('at', { in: 'coherent3', offset: 80 });
    expect(read).to.have.deep.property('at', { in: 'coherent3', offset: 64 });
    expect(before, 'nothing starts below').to.have.property('at', Number(cpu) - 16);
  });

  it('names lists of blocks', () => {
    const table = call('sg_alloc_table_from_pages', { pages: [1, 0], maxSegment: 64 });
    expect(recorded(ALLOC, ALLOC, table).commands.at(-1)).to.deep.equal({
      op: 'sg_alloc_table_from_pages',
      pages: ['block2', 'block1'],
      maxSegment: 64,
      as: 'table3',
    });
  });
});
