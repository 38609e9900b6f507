import { expect } from 'chai';
import { EINVAL } from './errno.ts';
import { boot, type Kernel } from './kernel.ts';

const PAGE = 64;
/**
 * The first user page of client 1 in the CPU's address space: 64 pages of RAM, 64 of vmalloc space, 16 a
 * client.
 */
const CLIENT_1 = 64 + 64 + 16;

function readAt({ cpu }: Kernel, at: number, bytes: number): number[] {
  const lines = cpu.read(at, bytes);
  return [...cpu.data.subarray(0, Math.max(0, lines))];
}

describe('CPU', () => {
  it('reaches RAM through its cache at linear addresses', () => {
    const kernel = boot();
    expect(kernel.cpu.write(5 * PAGE + 20, 30, 7)).to.equal(3);
    expect(readAt(kernel, 5 * PAGE, 128)).to.deep.equal([0xa5, 7, 7, 7, 0xa5, 0xa5, 0xa5, 0xa5]);
    expect(kernel.memory.readLine(5, 1)).to.equal(0xa5);
    kernel.cache.cleanPage(5);
    expect(kernel.memory.readLine(5, 1)).to.equal(7);
  });

  for (const cached of [false, true]) {
    it(`follows a mapping of the kernel and one of an application, cached: ${cached}`, () => {
      const kernel = boot();
      const { cpu, metadata, users, memory } = kernel;
      const first = kernel.pages.allocateBlock(1);
      const pageOf = (index: number): number => first + 1 - index;
      const start = metadata.scattered.mapPages(2, pageOf, cached);
      expect(users.map(1, 2, pageOf, cached)).to.equal(0);
      expect(cpu.write(start * PAGE + 48, 32, 7)).to.equal(2);
      expect(memory.readLine(first + 1, 3)).to.equal(cached ? 0xa5 : 7);
      expect(readAt(kernel, CLIENT_1 * PAGE + 48, 32)).to.deep.equal([7, 7]);
      expect(cpu.write(CLIENT_1 * PAGE, 16, 8)).to.equal(1);
      expect(readAt(kernel, start * PAGE, 16)).to.deep.equal([8]);
      expect(kernel.cache.cachedLine(first + 1, 0)).to.equal(cached ? 8 | (2 << 9) : 0);
    });
  }

  it('stops at the first page that is not mapped', () => {
    const kernel = boot();
    kernel.users.map(1, 1, () => 9, true);
    expect(kernel.cpu.write(CLIENT_1 * PAGE + 32, 64, 7)).to.equal(2);
    expect(kernel.cpu.read(CLIENT_1 * PAGE + 32, 64)).to.equal(2);
    expect(kernel.cpu.write((CLIENT_1 - 16) * PAGE, 16, 7)).to.equal(0);
  });

  it('stays in the address space of one client, and of the kernel', () => {
    const kernel = boot({ clients: 2 });
    kernel.users.map(0, 16, () => 9, true);
    kernel.users.map(1, 16, () => 5, true);
    expect(kernel.cpu.write(CLIENT_1 * PAGE - 32, 64, 7)).to.equal(2);
    expect(kernel.cpu.read((CLIENT_1 + 16) * PAGE - 32, 64)).to.equal(2);
    const last = kernel.metadata.scattered.mapPages(63, () => 8, true) + 62;
    expect(kernel.cpu.write(last * PAGE + 32, 192, 7)).to.equal(2);
  });

  it('reaches nothing outside, and refuses what is no access', () => {
    const { cpu } = boot();
    const end = (64 + 64 + 4 * 16) * PAGE;
    for (const at of [-PAGE, -1, 64 * PAGE, end - PAGE, end, 2 ** 53, 2 ** 64, Number.NaN]) {
      expect(cpu.write(at, 16, 1)).to.equal(0);
      expect(cpu.read(at, 16)).to.equal(0);
    }
    for (const bytes of [0, -1, 8 * PAGE + 1, Number.NaN]) {
      expect(cpu.write(0, bytes, 1)).to.equal(-EINVAL);
      expect(cpu.read(0, bytes)).to.equal(-EINVAL);
    }
  });
});

describe('sg_copy', () => {
  /** A table of three segments, of pages 8 to 9, 10 and 4. */
  function listed(): Kernel {
    const kernel = boot({ parked: 0 });
    kernel.pages.allocateBlock(3);
    const blocks = [1, 0, 0].map((order) => kernel.pages.allocateBlock(order));
    kernel.sg.allocateFromPages(blocks, 2 * PAGE);
    return kernel;
  }

  const lineOf = ({ sg, reader, cache }: Kernel): number[] => {
    const tags: number[] = [];
    sg.open(0, reader);
    while (reader.next())
      for (let at = 0; at < reader.length * 4; at++)
        tags.push(cache.cachedLine(reader.page + Math.floor(at / 4), at % 4));
    return tags;
  };

  it('writes the lines that are asked for, into the cache', () => {
    for (const [skip, bytes] of [
      [0, 64],
      [48, 32],
      [112, 80],
      [0, 256],
      [240, 16],
      [64, 0],
    ] as const) {
      const kernel = listed();
      expect(kernel.sgCopy.fill(0, skip, bytes, 7)).to.equal(bytes);
      const expected = Array.from({ length: 16 }, (_, line) =>
        line * 16 >= skip && line * 16 < skip + bytes ? 7 | (2 << 9) : 0,
      );
      expect(lineOf(kernel)).to.deep.equal(expected);
    }
  });

  it('stops where the table ends', () => {
    const kernel = listed();
    expect(kernel.sgCopy.fill(0, 224, 128, 7)).to.equal(32);
    expect(kernel.sgCopy.fill(0, 256, 16, 7)).to.equal(0);
    expect(kernel.sgCopy.fill(0, 1024, 16, 7)).to.equal(0);
  });
});
