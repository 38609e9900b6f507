import { expect } from 'chai';
import { ENOMEM } from './errno.ts';
import { boot } from './kernel.ts';

const identity = (index: number): number => index;

describe('user address spaces', () => {
  it('take the lowest hole, each on its own', () => {
    const { users } = boot({ userPages: 8 });
    expect([3, 2, 4].map((count) => users.map(1, count, identity, true))).to.deep.equal([0, 3, -ENOMEM]);
    expect(users.map(0, 8, identity, true)).to.equal(0);
    users.unmap(1, 0, 3);
    expect([4, 1, 2].map((count) => users.map(1, count, identity, true))).to.deep.equal([-ENOMEM, 0, 1]);
    expect(users.map(2, 9, identity, true)).to.equal(-ENOMEM);
  });

  it('translate to what was mapped, cached or not', () => {
    const { users } = boot({ userPages: 8 });
    const start = users.map(2, 3, (index) => [9, -1, 63][index] ?? 0, false);
    expect([-1, 0, 1, 2, 3, 8].map((page) => users.translate(2, start + page))).to.deep.equal([
      0,
      10 << 1,
      0,
      64 << 1,
      0,
      0,
    ]);
    expect(users.map(2, 1, () => 64, true)).to.equal(1);
    expect(users.translate(2, 1)).to.equal(0);
    users.map(1, 1, () => 4, true);
    expect(users.translate(1, 0)).to.equal((5 << 1) | 1);
    expect(users.mapped.get(8)).to.equal((5 << 1) | 1);
  });

  it('forget everything of an application that ends, and nothing else', () => {
    const { users } = boot({ userPages: 4 });
    for (const client of [0, 1, 2]) users.map(client, 4, identity, true);
    users.clear(1);
    const mapped = [0, 1, 2].map((client) => users.translate(client, 3));
    expect(mapped).to.deep.equal([9, 0, 9]);
    expect(users.map(1, 4, identity, true)).to.equal(0);
  });
});
