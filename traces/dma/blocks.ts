/** Aligned blocks of bytes in a few sizes: whatever its size, a range lies in one or a few of them. */

/** Bytes, powers of two: from a page up to where doubles end. */
const BLOCK_SIZES = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48] as const;
/** A range lies in at most so many blocks of its level, and one. */
const BLOCKS_EACH = 16;
/** Bits of a key that tell the level. */
const LEVEL_SPACE = 8;

/** Levels count from the smallest blocks. */
export const LEVELS: number = BLOCK_SIZES.length;

/** The level of the smallest blocks of which a range does not need too many. */
export function levelOf(size: number): number {
  let level = 0;
  while (level < LEVELS - 1 && size > sizeOf(level) * BLOCKS_EACH) level += 1;
  return level;
}

export const blockOf = (address: number, level: number): number => Math.floor(address / sizeOf(level));

/** The block of the last byte. */
export const lastBlock = (start: number, size: number, level: number): number =>
  blockOf(start + size - 1, level);

/** A number for a block that no block of another size has. */
export const keyOf = (block: number, level: number): number => block * LEVEL_SPACE + level;

export const levelOfKey = (key: number): number => key % LEVEL_SPACE;

const sizeOf = (level: number): number => BLOCK_SIZES[level] ?? 1;
