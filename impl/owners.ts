/** Who owns a page. Nobody: 0. Owners say so themselves, so that a page can be free and owned, or neither. */
export const OWNER_OCCUPIED = 1;
export const OWNER_BLOCK = 2;
export const OWNER_BUFFER = 3;
export const OWNER_META = 4;
export const OWNER_TABLE = 5;
/** Somebody outside holds it, and does not mind which page it is. */
export const OWNER_MOVABLE = 8;
/** A heap keeps it for the next buffer. */
export const OWNER_POOLED = 10;
/** Of a buffer that nobody refers to any more. */
export const OWNER_DEFERRED = 11;
export const OWNER_COHERENT = 12;
