/** Units, rights and conversions that every layer uses. Addresses are bytes; pages, lines and words are counted. */
import type { Machine } from './machine.ts';

/** Rights of a translation. They are bits, so that one set of rights can be held against another. */
export const READ = 1;
export const WRITE = 2;

/** Rights by the names that calls use: those of `iommu_map` and `gpu_bind`, then the directions of the DMA API. */
export const RIGHTS: Readonly<Record<string, number>> = {
  none: 0,
  read: READ,
  write: WRITE,
  both: READ | WRITE,
  to_device: READ,
  from_device: WRITE,
  bidirectional: READ | WRITE,
};

/** A translation as the view codes it. */
export const translation = (page: number, rights: number): number => ((page + 1) << 2) | rights;
export const pageOf = (entry: number): number => (entry >>> 2) - 1;

/** Pages that so many bytes need. */
export const pagesFor = ({ pageBytes }: Machine, bytes: number): number => Math.ceil(bytes / pageBytes);

/** The power of two that holds a count. */
export const roundUpToPowerOfTwo = (count: number): number => 2 ** Math.ceil(Math.log2(count));

/** What a line can be made to hold. */
export const isTag = (tag: number): boolean => Number.isInteger(tag) && tag >= 1 && tag <= 255;
