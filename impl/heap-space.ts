import type { Column } from './column.ts';
import type { Config } from './config.ts';
import { ENOMEM } from './errno.ts';
import type { Iommu } from './iommu.ts';
import { SEEN_NOWHERE } from './seen.ts';
import type { SgReader } from './sg-chunks.ts';
import type { Store } from './store.ts';
import { READ, WRITE } from './tables.ts';

/**
 * The one address space of a heap that maps its buffers itself, each for its life; all GPU contexts are
 * attached to it. After the NVIDIA IOMMU heap of 2011/12. Where drivers map, there is none.
 */
export class HeapSpace {
  /** Whether the heap maps. */
  readonly maps: boolean;
  /** First I/O page + 1 of the buffer whose page 0 this is. */
  private readonly start: Column;
  private readonly iommu: Iommu;
  private readonly reader: SgReader;

  constructor(store: Store, config: Config, iommu: Iommu, reader: SgReader) {
    this.iommu = iommu;
    this.reader = reader;
    this.maps = config.policies.mapping === 'heap';
    this.start = store.column(this.maps ? config.pages : 0, SEEN_NOWHERE);
  }

  /** First I/O page of a buffer that is mapped. */
  startOf(buffer: number): number {
    return this.start.get(buffer) - 1;
  }

  /** Maps a buffer of `count` pages. Returns 0, or -ENOMEM with nothing left behind. */
  map(buffer: number, count: number, open: (reader: SgReader) => void): number {
    const { iova, shared } = this.iommu;
    if (this.iommu.openShared() < 0) return -ENOMEM;
    const ioPage = iova.allocate(shared, count);
    if (ioPage >= 0) {
      open(this.reader);
      if (this.iommu.mapSegments(shared, ioPage, this.reader, READ | WRITE) === 0) {
        this.start.set(buffer, ioPage + 1);
        return 0;
      }
      iova.free(shared, ioPage, count);
    }
    this.iommu.closeShared();
    return -ENOMEM;
  }

  /** Ends the mapping of a buffer: when this returns no access lands. */
  unmap(buffer: number, count: number): void {
    const { iova, shared } = this.iommu;
    const ioPage = this.startOf(buffer);
    this.iommu.unmapRange(shared, ioPage, count);
    iova.free(shared, ioPage, count);
    this.start.set(buffer, 0);
    this.iommu.closeShared();
  }
}
