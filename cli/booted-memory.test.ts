/** The free blocks by order of a naive buddy allocator that has freed these pages one by one. */
export function bootedBlocks(isFree: readonly boolean[], orderMax: number): number[] {
  let free = new Set(isFree.flatMap((each, page) => (each ? [page] : [])));
  const blocks: number[] = [];
  for (let order = 0; order < orderMax; order++) {
    const size = 2 ** order;
    const joined = [...free].filter((page) => page % (2 * size) === 0 && free.has(page + size));
    blocks.push(free.size - 2 * joined.length);
    free = new Set(joined);
  }
  return [...blocks, free.size];
}
