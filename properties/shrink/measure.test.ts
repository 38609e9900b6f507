import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { Scripts } from '../generate.ts';
import type { Command, Script } from '../script.ts';
import { isSmaller, measure } from './measure.ts';

const ALLOC: Command = { op: 'alloc_pages', order: 0 };

const script = (more: Partial<Script>): Script => ({ format: 1, machine: {}, commands: [ALLOC], ...more });

const compare = (a: Script, b: Script): boolean => isSmaller(measure(a, SPEC), measure(b, SPEC));

const map = (more: Partial<Command>): Command =>
  ({
    op: 'iommu_map',
    domain: 0,
    iova: 0,
    phys: 0,
    bytes: 64,
    prot: 'both',
    ...more,
  }) as Command;

describe('measure', () => {
  for (const [name, small, large] of [
    [
      'fewer commands',
      script({ machine: { pages: 99 } }),
      script({ commands: [ALLOC, ALLOC], machine: { pages: 1 } }),
    ],
    ['no fault', script({}), script({ commands: [{ ...ALLOC, fail: { page: 1 } }], machine: { pages: 1 } })],
    [
      'an earlier fault',
      script({ commands: [{ ...ALLOC, fail: { page: 1 } }] }),
      script({ commands: [{ ...ALLOC, fail: { page: 2 } }] }),
    ],
    ['no actor', script({}), script({ commands: [{ ...ALLOC, actor: 'b' }] })],
    ['no preemption', script({}), script({ schedule: [{ in: 'a', point: 1, to: 'b' }] })],
    ['a smaller machine', script({ machine: { pages: 8 } }), script({ machine: { pages: 9 } })],
    ['a default that nobody names', script({}), script({ machine: { pages: 8 } })],
    [
      'few pages and little held',
      script({ machine: { pages: 8, occupied: [[1, 1]] } }),
      script({
        machine: {
          occupied: [
            [1, 1],
            [4, 1],
          ],
        },
      }),
    ],
    [
      'the first value of a policy',
      script({ machine: { policies: { contexts: 'per-client' } } }),
      script({ machine: { policies: { contexts: 'shared' } } }),
    ],
    [
      'fewer occupied pages',
      script({ machine: { occupied: [[7, 1]] } }),
      script({ machine: { occupied: [[0, 2]] } }),
    ],
    [
      'fewer movable pages',
      script({ machine: { movable: [[7, 1]] } }),
      script({ machine: { movable: [[0, 2]] } }),
    ],
    ['a smaller number', script({}), script({ commands: [{ ...ALLOC, order: 1 }] })],
    ['an earlier word', script({ commands: [map({})] }), script({ commands: [map({ prot: 'read' })] })],
    [
      'a place nearer to the start',
      script({ commands: [map({ phys: { in: 'b', offset: 0 } })] }),
      script({ commands: [map({ phys: { in: 'b', offset: 64 } })] }),
    ],
    ['whole pages', script({ commands: [map({ bytes: 128 })] }), script({ commands: [map({ bytes: 127 })] })],
    [
      'the next whole page',
      script({ commands: [map({ bytes: 64 })] }),
      script({ commands: [map({ bytes: 1 })] }),
    ],
    [
      'any number',
      script({ commands: [map({ bytes: 640 })] }),
      script({ commands: [map({ bytes: '0xffffffffffffffff' })] }),
    ],
    ['a name', script({ commands: [map({ domain: 'd' })] }), script({ commands: [map({ domain: 0 })] })],
    ['fewer words', script({}), script({ machine: { pages: 64 } })],
    [
      'an earlier name',
      script({ commands: [{ ...ALLOC, as: 'a' }] }),
      script({ commands: [{ ...ALLOC, as: 'b' }] }),
    ],
  ] as const) {
    it(`calls ${name} smaller`, () => {
      expect(compare(small, large)).to.equal(true);
      expect(compare(large, small)).to.equal(false);
    });
  }

  it('is a strict order', () => {
    const source = new Scripts(SPEC, 6);
    const some = Array.from({ length: 12 }, (_, index) => source.at(index)).sort((a, b) =>
      compare(a, b) ? -1 : 1,
    );
    for (const [at, a] of some.entries())
      for (const [other, b] of some.entries()) expect(compare(a, b)).to.equal(at < other);
  });
});
