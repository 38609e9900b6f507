/**
 * What a page of the CPU's address space translates to, in one number: page frame + 1, shifted by one, with
 * the lowest bit set when the CPU may cache it. 0 is nothing.
 */
export const mappingOf = (page: number, cached: boolean): number => ((page + 1) << 1) | (cached ? 1 : 0);

/** The page frame of a mapping. */
export const frameOf = (mapping: number): number => (mapping >>> 1) - 1;

/** Whether the CPU may cache what it reaches through a mapping. */
export const isCached = (mapping: number): boolean => (mapping & 1) !== 0;
