/**
 * What a line of memory holds, as far as the contract says: what is in memory, what a CPU cache may hold of it, and
 * whether that copy is newer. Lines may enter and leave the cache at any time; only syncs make a promise.
 * After Linux 6.1, Documentation/core-api/dma-api.rst, and arch/arm64/mm/dma-mapping.c for what a sync does.
 */

/** Nothing is promised: the line belongs to nobody, or nobody has written to it. */
export const NOTHING = -1;
/** A tag that may be any. */
const ANY = 256;

/**
 * State of the cached copy. NONE: if there is one, it equals memory. CLEAN: a device has written since, so a CPU may
 * see the old or the new. DIRTY: newer than memory. RACED: dirty, and a device wrote memory meanwhile.
 */
const NONE = 0;
const CLEAN = 1;
const DIRTY = 2;
const RACED = 3;
/** The page has uncached mappings: it has no copy in a cache. */
const UNCACHED = 1 << 20;

/** A line in one number: memory's tag, the copy's tag, the copy's state. */
const pack = (memory: number, copy: number, state: number): number => memory | (copy << 9) | (state << 18);

const memoryOf = (line: number): number => line & 0x1ff;
const copyOf = (line: number): number => (line >>> 9) & 0x1ff;
const stateOf = (line: number): number => (line >>> 18) & 3;
const isUncached = (line: number): boolean => line >= 0 && (line & UNCACHED) !== 0;

/** A line whose memory holds a tag, without a copy that differs. */
export const written = (tag: number): number => pack(tag, 0, NONE);

/** The same for memory that CPUs reach without their caches. */
export const writtenUncached = (tag: number): number => pack(tag, 0, NONE) | UNCACHED;

/** A CPU wrote through its cache. What memory held, and whether the copy was written back, is left open. */
export function cpuWrote(line: number, tag: number): number {
  if (isUncached(line)) return writtenUncached(tag);
  if (line === NOTHING || stateOf(line) >= DIRTY) return pack(ANY, tag, DIRTY);
  return pack(memoryOf(line), tag, DIRTY);
}

/** A device wrote to memory. Copies that caches hold are not told. */
export function deviceWrote(line: number, tag: number): number {
  if (isUncached(line)) return writtenUncached(tag);
  if (line === NOTHING) return NOTHING;
  const old = memoryOf(line);
  if (stateOf(line) === NONE) return old === tag ? line : pack(tag, old, CLEAN);
  if (stateOf(line) === CLEAN) return pack(tag, ANY, CLEAN);
  return pack(tag, stateOf(line) === DIRTY ? copyOf(line) : ANY, RACED);
}

/** Dirty copies went to memory. One that raced with a device went there before or after what the device wrote. */
export function cleaned(line: number): number {
  if (isUncached(line)) return line;
  if (line === NOTHING || stateOf(line) === RACED) return written(ANY);
  return stateOf(line) === DIRTY ? written(copyOf(line)) : line;
}

/** CPUs gave the line to a device that only writes: a dirty copy went to memory, or was dropped. */
export function givenToWrite(line: number): number {
  return line === NOTHING || stateOf(line) >= DIRTY ? written(ANY) : line;
}

/** Copies were dropped. A dirty one may have gone to memory before, or may be lost. */
export function invalidated(line: number): number {
  if (isUncached(line)) return line;
  return line === NOTHING || stateOf(line) >= DIRTY ? written(ANY) : written(memoryOf(line));
}

const matches = (tag: number, own: number): boolean => own === ANY || tag === own;

/** A device, or a CPU that does not look into its cache, may read this tag. */
export function isReadable(line: number, tag: number): boolean {
  if (line === NOTHING || matches(tag, memoryOf(line))) return true;
  return stateOf(line) >= DIRTY && matches(tag, copyOf(line));
}

/** A CPU may read this tag through its cache. */
export function isReadableByCpu(line: number, tag: number): boolean {
  if (line === NOTHING) return true;
  if (stateOf(line) !== NONE && matches(tag, copyOf(line))) return true;
  return stateOf(line) !== DIRTY && matches(tag, memoryOf(line));
}

/**
 * A line as a target shows it (memory, copy, and whether there is one and it is dirty) goes with what is promised:
 * whatever may have been evicted or loaded by itself is allowed. Of a page with uncached mappings a clean copy may be
 * old: the linear map let it in, and nobody reads there.
 */
export function goesWith(line: number, shown: number): boolean {
  if (line === NOTHING) return true;
  const memory = memoryOf(shown);
  const copy = copyOf(shown);
  if (isUncached(line) && !isDirty(shown)) return isReadable(line, memory);
  if (stateOf(shown) >= DIRTY)
    return stateOf(line) >= DIRTY && matches(copy, copyOf(line)) && isReadable(line, memory);
  if (stateOf(line) === DIRTY && !matches(memory, copyOf(line))) return false;
  if (!isReadable(line, memory)) return false;
  return stateOf(shown) === NONE || isReadableByCpu(line, copy);
}

/** A line, as a target shows it, has a copy that memory has yet to get. */
export const isDirty = (shown: number): boolean => shown !== NOTHING && stateOf(shown) >= DIRTY;

/** Memory holds what it may, and the copy in a cache is one that no CPU should see any more. */
export const isStaleCopy = (line: number, shown: number): boolean =>
  stateOf(shown) !== NONE && isReadable(line, memoryOf(shown));

/** A dirty copy of a line that must have none. */
export const isAliased = (line: number, shown: number): boolean => isUncached(line) && isDirty(shown);

/** The tag that a CPU sees of a line as a target shows it. */
export const seenByCpu = (shown: number): number =>
  stateOf(shown) === NONE ? memoryOf(shown) : copyOf(shown);

/** A line shown twice without a write between: at most a dirty copy went to memory, or a clean one was dropped. */
export function isKept(before: number, after: number): boolean {
  const isWrittenBack = isDirty(before) && memoryOf(after) === copyOf(before);
  if (memoryOf(after) !== memoryOf(before) && !isWrittenBack) return false;
  return seenByCpu(after) === seenByCpu(before) || (!isDirty(before) && stateOf(after) === NONE);
}

const nameOf = (tag: number): string => (tag === ANY ? 'anything' : String(tag));

/** A line in words. */
export function showLine(line: number): string {
  if (line === NOTHING) return 'anything';
  const memory = `${nameOf(memoryOf(line))} in memory`;
  const copy = nameOf(copyOf(line));
  return (
    [memory, `${memory}, ${copy} cached`, `${memory}, ${copy} cached and dirty`][
      Math.min(stateOf(line), 2)
    ] ?? ''
  );
}
