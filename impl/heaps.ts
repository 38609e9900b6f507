/** Bits of a heap mask, in the order in which the heaps are tried. */
export const HEAP_IOMMU = 1;
export const HEAP_SYSTEM_CONTIG = 2;
export const HEAP_SYSTEM = 4;
/** How many heaps there are. */
export const HEAPS = 3;
