import { expect } from 'chai';
import { PageTree } from './page-tree.ts';
import { A, PAGE, PFN, Tale } from './tale.test.ts';

const GB = 2 ** 30;
const TB = 2 ** 40;

/** What was put up with, and how often. */
const putUpWith = (tale: Tale): Record<string, number> =>
  Object.fromEntries(tale.findings().tolerances.map(({ name, count }) => [name, count]));

describe('more mappings than any machine has', () => {
  it('looks at 256 mappings of one page, and says so', () => {
    const tale = new Tale();
    for (let n = 0; n < 300; n += 1) tale.map(A - n * PAGE, PFN);
    expect(putUpWith(tale)).to.deep.equal({ 'crowded-page': 44 });
    tale.free(PFN);
    for (let n = 0; n < 300; n += 1) tale.unmap(A - n * PAGE);
    const [first, ...others] = tale.findings().list;
    expect(others).to.deep.equal([]);
    expect(`${first?.confidence} ${first?.check} ${first?.more}`).to.equal('certain freed-while-mapped 255');
  });

  it('says nothing of a page that most of a crowd still leads to while it is used', () => {
    const tale = new Tale();
    for (let n = 0; n < 300; n += 1) tale.map(A - n * PAGE, PFN);
    for (let n = 0; n < 300; n += 1) tale.unmap(A - n * PAGE);
    expect(tale.free(PFN).told()).to.deep.equal([]);
  });

  it('follows 64 giants at once, and others again when some are gone', () => {
    const tale = new Tale();
    const pages = (4 * TB) / PAGE;
    for (let n = 0; n < 70; n += 1) tale.map(8 * n * TB, PFN, pages);
    for (let n = 0; n < 70; n += 1) tale.unmap(8 * n * TB, pages);
    tale.map(0, PFN, pages).free(PFN).unmap(0, pages);
    expect(putUpWith(tale)).to.deep.equal({ 'crowded-giants': 6, 'unknown-unmap': 6 });
    expect(tale.told()).to.deep.equal(['certain freed-while-mapped']);
  });

  it('takes ranges of 16 GB for usual', () => {
    const tale = new Tale();
    for (let n = 0; n < 100; n += 1) tale.map(64 * n * GB, PFN + n * 2 ** 23, (16 * GB) / PAGE);
    expect(putUpWith(tale)).to.deep.equal({});
  });

  it('forgets no unmap of an address with more mappings than are told apart, however many come', () => {
    const tale = new Tale();
    for (let n = 0; n < 40; n += 1) tale.map(A, PFN + n);
    for (let n = 0; n < 200; n += 1) tale.unmap(A);
    for (let n = 0; n < 40; n += 1) tale.free(PFN + n);
    expect(tale.told()).to.deep.equal([]);
    expect(putUpWith(tale)).to.deep.equal({ crowded: 1 });
  });
});

describe('what a tree of pages looks at', () => {
  const visits = (tree: PageTree<string>, first: number, count: number): readonly (readonly number[])[] => {
    const seen: (readonly number[])[] = [];
    tree.read(first, count, (_, at, pages) => seen.push([at, pages]));
    return seen;
  };

  it('is what lies in a row as one', () => {
    const tree = new PageTree<string>((below, above) => below + above);
    tree.add(5, 100_000, 'a');
    expect(visits(tree, 0, 200_000)).to.deep.equal([[5, 100_000]]);
    tree.change(70, 3, () => 'b');
    expect(visits(tree, 0, 200_000)).to.deep.equal([
      [5, 65],
      [70, 3],
      [73, 99_932],
    ]);
  });

  it('is joined once for all pages where the same come together', () => {
    let joins = 0;
    const tree = new PageTree<string>((below, above) => {
      joins += 1;
      return below + above;
    });
    for (const what of ['a', 'b', 'c']) tree.add(5, 2 ** 33, what);
    expect(joins).to.equal(2);
  });

  it('is nothing after all was taken away, bit by bit or at once', () => {
    const tree = new PageTree<string>((below, above) => below + above);
    for (let page = 0; page < 300_000; page += 30) {
      tree.add(page, 30, 'a');
      expect(tree.isEmptyAt(page, 30)).to.equal(false);
      expect(tree.holdsOnly('a', page, 30)).to.equal(true);
      expect(tree.takeOnly('a', page, 30)).to.equal(true);
    }
    expect(tree.isEmptyAt(0, 300_000)).to.equal(true);
    tree.add(3, 2 ** 20, 'a');
    expect(tree.holdsOnly('a', 0, 2 ** 20)).to.equal(false);
    expect(tree.takeOnly('a', 3, 2 ** 20)).to.equal(true);
    expect(visits(tree, 0, 2 ** 34)).to.deep.equal([]);
  });
});
