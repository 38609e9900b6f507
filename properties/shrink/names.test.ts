import { expect } from 'chai';
import type { Command, Script } from '../script.ts';
import { renamed } from './names.ts';

const script = (commands: readonly Command[], more: Partial<Script> = {}): Script => ({
  format: 1,
  machine: {},
  commands,
  ...more,
});

describe('renamed', () => {
  it('numbers the results of a kind from 1, in references, fields, lists, places and the schedule', () => {
    const before = script(
      [
        { op: 'alloc_pages', order: 0, as: 'block7' },
        { op: 'alloc_pages', order: 0, as: 'block3' },
        { op: 'sg_alloc_table_from_pages', pages: ['block3', 'block7'], maxSegment: 64, as: 'table9' },
        {
          op: 'iommu_map',
          domain: 'table9.table',
          iova: 0,
          phys: { in: 'block3', offset: 64 },
          bytes: 0,
          prot: 'both',
        },
      ],
      { schedule: [{ in: 'table9', point: 1, to: 'b' }] },
    );
    expect(renamed(before)).to.deep.equal(
      script(
        [
          { op: 'alloc_pages', order: 0, as: 'block1' },
          { op: 'alloc_pages', order: 0, as: 'block2' },
          { op: 'sg_alloc_table_from_pages', pages: ['block2', 'block1'], maxSegment: 64, as: 'table1' },
          {
            op: 'iommu_map',
            domain: 'table1.table',
            iova: 0,
            phys: { in: 'block2', offset: 64 },
            bytes: 0,
            prot: 'both',
          },
        ],
        { schedule: [{ in: 'table1', point: 1, to: 'b' }] },
      ),
    );
  });

  it('leaves names that somebody chose, and words', () => {
    const before = script([
      { op: 'alloc_pages', order: 0, as: 'mine' },
      { op: 'free_pages', block: 'mine', actor: 'worker' },
    ]);
    expect(renamed(before)).to.deep.equal(before);
  });

  it('names the actors that are left from b on', () => {
    const racing = (one: string, other: string): Script =>
      script(
        [
          { op: 'alloc_pages', order: 0, as: 'block1' },
          { op: 'drain', actor: one },
          { op: 'shrink', actor: 'main' },
          { op: 'compact', actor: other },
          { op: 'drain', actor: one },
        ],
        { schedule: [{ in: 'block1', point: 1, to: one }] },
      );
    expect(renamed(racing('d', 'c'))).to.deep.equal(racing('b', 'c'));
  });
});
