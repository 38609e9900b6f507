/**
 * One bit for each column of what the machine shows of itself, in the order in which it shows them. A store
 * collects the bits of what may look different since somebody looked last.
 */
export const SEEN_KIND: number = 1 << 0;
export const SEEN_HEAD: number = 1 << 1;
export const SEEN_INDEX: number = 1 << 2;
export const SEEN_REFS: number = 1 << 3;
export const SEEN_FREE_ORDER: number = 1 << 4;
export const SEEN_LINE: number = 1 << 5;
export const SEEN_REACH: number = 1 << 6;
export const SEEN_IOTLB: number = 1 << 7;
export const SEEN_CLIENT: number = 1 << 8;
export const SEEN_CONTEXT: number = 1 << 9;
export const SEEN_HANDLE: number = 1 << 10;
export const SEEN_BOUND: number = 1 << 11;
export const SEEN_JOB: number = 1 << 12;
export const SEEN_COUNTER: number = 1 << 13;
export const SEEN_DEVICE: number = 1 << 14;
export const SEEN_FD: number = 1 << 15;
export const SEEN_MAPPED: number = 1 << 16;
export const SEEN_STALE: number = 1 << 17;
export const SEEN_HANDLE_COUNT: number = 1 << 18;
export const SEEN_KERNEL_MAPS: number = 1 << 19;
export const SEEN_USER_MAP: number = 1 << 20;
/** Every bit above. */
export const SEEN_ALL: number = (1 << 21) - 1;
/** For columns that are only links or hints: nobody outside can see them. */
export const SEEN_NOWHERE: number = 0;
/** Which object a page belongs to, and where in it. */
export const SEEN_PLACE: number = SEEN_HEAD | SEEN_INDEX;
/** What a translation gives, cached or not. */
export const SEEN_TRANSLATION: number = SEEN_REACH | SEEN_IOTLB;
