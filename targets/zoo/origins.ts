/**
 * Bugs that kernels had, and what each of them is called here. The letters say where it was: PA pages and vmalloc, BD
 * drm_buddy, SG scatter-gather, IV device addresses, IO IOMMU, UF iommufd and VFIO, DM DMA mapping, DP DMA pools, DB
 * dma-buf, GP GPU drivers, ION. The numbers have gaps. In quotes: the title of the commit that mended it, or of one.
 */

export interface Origin {
  readonly id: string;
  /** Of the fix. */
  readonly year: string;
  readonly what: string;
  /** Without it the present calls cannot show the bug; absent when the zoo has it. */
  readonly missing?: string;
}

type Row = readonly [id: string, year: string, what: string];

/** Those that bugs of the zoo re-create. */
const RECREATED: readonly Row[] = [
  ['PA-01', '2021', '"mm/page_alloc: fix counting of free pages after take off from buddy"'],
  ['PA-04', '2021', '"mm: don\'t allow oversized kvmalloc() calls"'],
  ['PA-05', '2024', '"mm/vmalloc: fix page mapping if vm_area_alloc_pages() with high order fallback..."'],
  ['PA-07', '2020', '"mm/vmalloc.c: fix potential memory leak"'],
  ['PA-08', '2020', '"mm/page_alloc.c: fix freeing non-compound pages"'],
  ['PA-10', '2019-2025', '"drm/panfrost: Use kvfree() to free bo->sgts" and four more'],
  ['PA-13', '2024', '"dma-direct: Leak pages on dma_set_decrypted() failure"'],
  ['PA-15', '2022', 'pages of large vmalloc blocks were compound; 3b8000ae185c'],
  ['PA-17', '2023', '"dma-remap: use kvmalloc_array/kvfree for larger dma memory remap"'],
  ['BD-04', '2026', '"drm/buddy: Prevent BUG_ON by validating rounded allocation"'],
  ['BD-11', '2022', 'drm_buddy: a split failed half way, and left block and buddy in the free list'],
  ['SG-02', '2021', '"lib/scatterlist: Fix wrong update of orig_nents"'],
  ['SG-04', '2020', '"sgl_alloc_order: fix memory leak"'],
  ['SG-06', '2017', 'a limit of segments that is no multiple of the page size'],
  ['SG-09', '2025', '"pch_uart: Fix dma_sync_sg_for_device() nents value" and nine more drivers'],
  ['SG-10', '2020-2022', '"drm: panfrost: fix common struct sg_table related issues" and more'],
  ['SG-13', '2026', '"iommu/dma: Catch scatterlist length overflows"'],
  ['IV-02', '2020', '"iommu/iova: Retry from last rb tree node if iova search fails"'],
  ['IV-04', '2017', '"iommu/iova: Sort out rbtree limit_pfn handling"'],
  ['IV-06', '2020', '"iommu/iova: Free global iova rcache on iova alloc failure"'],
  ['IV-10', '2023', '"vfio/type1: Respect IOMMU reserved regions in vfio_test_domain_fgsp()"'],
  ['IV-12', '2018', '"iommu/iova: Fix tracking of recently failed iova address"'],
  ['IO-02', '2024', '"iommu/io-pgtable-arm: Fix stage-2 map/unmap for concatenated tables"'],
  ['IO-03', '2015', 'io-pgtable-arm: a large leaf was followed as if it led to a table'],
  ['IO-04', '2017', 'the translation of a large leaf lost the bits below its size'],
  ['IO-05', '2024-2025', '"drm/panthor: Support partial unmaps of huge pages"'],
  ['IO-06', '2025', '"iommu/vt-d: Fix __domain_mapping()\'s usage of switch_to_super_page()"'],
  ['IO-09', '2024', '"iommu: Do not return 0 from map_pages if it doesn\'t do anything"'],
  ['IO-10', '2022-2026', '"iommu/dma: Fix iova map result check bug" and four more'],
  ['IO-11', '2012-2019', '"vfio/type1: Add proper error unwind for vfio_iommu_replay()"'],
  ['IO-12', '2021', '"iommu: Switch gather->end to the inclusive end"'],
  ['IO-14', '2023', '"iommu/amd: Fix domain flush size when syncing iotlb"'],
  ['IO-18', '2019', 'an unmap queued its range on a flush queue that was never set up; effa467870c7'],
  ['IO-19', '2017', 'a flush queue must wait for a flush that began after the unmap; fb418dab8a4f'],
  ['IO-23', '2024', '"iommu/amd: Invalidate cache before removing device from domain list"'],
  ['IO-26', '2022', '"iommu/mediatek: Fix 2 HW sharing pgtable issue"'],
  ['IO-27', '2024-2026', '"iommu/amd: Fix clone_alias() to use the original device\'s devid"'],
  ['IO-29', '2021', '"iommu/vt-d: Remove WO permissions on second-level paging entries"'],
  ['IO-30', '2019-2023', '"drm/etnaviv: don\'t truncate physical page address" and more'],
  ['IO-34', '2023-2026', '"fpga: dfl-afu: validate DMA mapping length" and more'],
  ['UF-01', '2025', '"iommufd: Prevent ALIGN() overflow"'],
  ['UF-04', '2023', 'iommufd: a user pointer and a length whose sum wraps'],
  ['DM-09', 'many', '"HSI: omap_ssi_port: Fix dma_map_sg error check" and more'],
  ['DM-10', '2023-2026', '"udmabuf: fix DMA direction mismatch in release_udmabuf()" and more'],
  ['DM-11', '2023-2025', '"drm/panthor: Flush shmem writes before mapping buffers CPU-uncached"'],
  ['DM-13', '2026', '"vdpa_sim: hold iommu_lock across dma_unmap"'],
  ['DB-01', '2024', '"dma-buf: heaps: Fix off-by-one in CMA heap fault handler"'],
  ['DB-03', '2025', '"habanalabs: fix UAF in export_dmabuf()"; CVE-2025-38722'],
  ['DB-06', '2023', '"dma-buf: fix dma_buf_export init order v2"'],
  ['DB-07', '2024-2026', '"drm/xe: Hold a dma-buf reference for imported BOs" and more'],
  ['DB-09', '2023-2025', '"drm/gem: Fix race in drm_gem_handle_create_tail()"; CVE-2023-5633'],
  ['DB-10', '2013', '"drm/gem: completely close gem_open vs. gem_close races"'],
  ['DB-12', '2024', '"drm/i915/gem: Fix Virtual Memory mapping boundaries calculation"; CVE-2024-42259'],
  ['DB-13', '2026', '"RDMA/umem: Fix double dma_buf_unpin in failure path"'],
  ['DB-16', '2026', '"misc: fastrpc: fix DMA address corruption due to find_vma misuse"'],
  ['DB-19', '2024-2025', '"media: videobuf2-core: clear memory related fields in __vb2_plane_dmabuf_put()"'],
  ['GP-01', '2022', '"drm/i915: Flush TLBs before releasing backing store"; CVE-2022-0330'],
  ['GP-09', '2026', '"i915: don\'t use a vma that didn\'t match the context VM"'],
  ['GP-14', '2016-2022', '"msm: kgsl: verify user memory permissions before mapping to GPU driver"'],
  ['GP-15', '2016', '"msm: kgsl: Add missing checks for alloc size and sglen"; CVE-2016-2468'],
  ['GP-18', '2025', '"drm/panthor: Fix kernel panic on partial unmap of a GPU VA region"'],
  ['ION-01', '2012', 'the undo of a mapping that failed half way left one page mapped'],
  ['ION-02', '2012', 'an allocation whose mapping had failed returned success'],
  ['ION-03', '2012', 'the list of the pages of a buffer was contiguous whatever its size'],
  ['ION-04', '2012', 'the pages of a new buffer were not zeroed'],
  ['ION-07', '2012', 'one address space for all users of the heap'],
  ['ION-10', '2011-2012', 'sharing handed the buffer out without a reference'],
  ['ION-11', '2016', '"staging/android/ion: fix a race condition in the ion driver"; CVE-2016-9120'],
  ['ION-14', '2012', 'a handle that was mapped for the kernel was destroyed, and the mapping stayed'],
  ['ION-16', '2021', 'an end of CPU access without its begin took the mapping of another; CVE-2021-0929'],
  ['ION-19', '2014-2017', '"ion: fix sys heap pool\'s gfp_flags"'],
  ['ION-21', '2016', 'a buffer was freed as far as it had segments'],
  ['ION-23', '2013', '"gpu: ion: Add buffer flag to skip page pooling on free"'],
  ['ION-25', '2015', 'the error paths of making a buffer were swapped'],
  ['ION-26', '2016', 'the end of a page pool forgot the pages in it'],
  ['ION-29', '2011-2016', 'a mapping of a user outlived its buffer'],
  ['ION-30', '2011-2012', 'a size near 2^64 was rounded to nothing'],
];

/** The others, by what is missing. */
const MISSING: Readonly<Record<string, readonly Row[]>> = {
  'guard pages': [
    ['PA-02', '2026', '"mm/page_alloc: count guard pages as free again when their buddy merges"'],
  ],
  'an alignment that the caller asks for': [
    ['PA-16', '2019', '"lib/genalloc: fix allocation of aligned buffer from non-aligned chunk"'],
    ['DP-03', '2024', '"nvme-pci: 512 byte aligned dma pool segment quirk"'],
  ],
  'drm_buddy calls': [
    ['BD-01', '2024', '"drm/buddy: fix range bias"'],
    ['BD-05', '2026', '"drm/buddy: release free_trees array on buddy mm teardown"'],
    ['BD-06', '2023', '"drm: buddy_allocator: Fix buddy allocator init on 32-bit systems"'],
    ['BD-09', '2024', '"drm/amdgpu: Add a lock when accessing the buddy trim function"'],
  ],
  'loss of power': [['BD-08', '2025', '"drm/amdgpu: Reset the clear flag in buddy during resume"']],
  'lists that are allocated by size': [
    ['SG-05', '2018', 'elements times their size wraps, and a short list is a success'],
  ],
  'a dma_map_sg that merges segments': [['SG-12', '2020', '"crypto: ccp - Fix use of merged scatterlists"']],
  'padding for a device': [
    ['SG-15', '2026', '"scsi: core: Fill in DMA padding bytes in scsi_alloc_sgtables()"'],
  ],
  'reserved regions of a device': [['IV-08', '2024', '"iommu: Don\'t reserve 0-length IOVA region"']],
  'switch points in I/O page tables': [
    ['IO-01', '2017', '"iommu/io-pgtable-arm: Fix race handling in split_blk_unmap()"'],
    ['IO-20', '2020-2025', '"iommu/amd: Fix race in increase_address_space()/fetch_pte()"'],
  ],
  'a mapping in the place of another': [
    ['IO-16', '2020', 'a page was freed before the flushes that were collected for it; XSA-346'],
    ['UF-08', '2024', '"iommufd/device: Fix hwpt at err_unresv in iommufd_device_do_replace()"'],
  ],
  'groups of devices': [['IO-25', '2023', '"iommu: Attach device group to old domain in error path"']],
  'calls that must not sleep': [
    ['IO-31', '2021', '"iommu: Properly pass gfp_t in _iommu_map() to avoid atomic sleeping"'],
  ],
  'the queue of invalidations': [
    ['IO-33', '2026', '"iommu/vt-d: Fix intel iommu iotlb sync hardlockup and retry"'],
  ],
  'pinned user memory': [
    ['UF-03', '2023', '"iommufd: Fix unpinning of pages when an access is present"'],
    ['UF-10', '2020', '"vfio iommu type1: Fix memory leak in vfio_iommu_type1_pin_pages"'],
  ],
  'objects that users destroy': [
    ['UF-05', '2023', '"iommufd: IOMMUFD_DESTROY should not increase the refcount"'],
  ],
  'tracking of dirty pages': [
    ['UF-07', '2022-2025', 'iova_bitmap: bounds, page offset, shift; CVE-2025-40293'],
  ],
  'bounce buffers': [
    ['UF-12', '2026', '"VDUSE: avoid leaking information to userspace"'],
    ['DM-01', '2022', '"swiotlb: fix info leak with DMA_FROM_DEVICE"; CVE-2022-0854'],
    ['DM-02', '2024', '"swiotlb: Fix double-allocation of slots due to broken alignment handling"'],
    ['DM-14', '2021', '"block-map: add __GFP_ZERO flag for alloc_page in function bio_copy_kern"'],
  ],
  'mappings of parts of a page': [['DM-05', '2019', 'a device reached the whole page of a small object']],
  'memory pools of a device': [
    ['DM-06', '2024', '"dma-mapping: clear dev->dma_mem to NULL after freeing it"'],
    ['DM-07', '2025', '"page_pool: Track DMA-mapped pages and unmap them when destroying the pool"'],
  ],
  'kinds of memory in a list': [
    ['DM-08', '2023', '"virt: sevguest: Fix passing a stack buffer as a scatterlist target"'],
    ['DB-21', '2024', '"xen/gntdev: Fix the abuse of underlying struct page in DMA-buf import"'],
  ],
  'a fault site where results are copied out': [
    ['DB-02', '2026', '"dma-buf: dma-heap: don\'t publish fd before copy_to_user() succeeds"'],
    ['ION-13', '2022', '"ion: Fix use after free during ION_IOC_ALLOC"'],
  ],
  'another exporter of buffers': [
    ['DB-04', '2025', '"xen: fix UAF in dmabuf_exp_from_pages()"; CVE-2025-38595'],
  ],
  'buffers out of pages that the user names': [
    ['DB-18', '2025', '"udmabuf: fix a buf size overflow issue during udmabuf creation"; CVE-2025-37803'],
  ],
  'moving of pages that are mapped': [
    ['GP-02', '2018', '"mremap: properly flush TLB before releasing the page"'],
  ],
  'buffers that grow': [
    ['GP-04', '2023', 'sizes read before the lock was dropped were used after; CVE-2023-6241'],
  ],
  'buffers that may be purged': [
    ['GP-06', '2019-2022', '"drm/panfrost: Fix a race in panfrost_ioctl_madvise()" and more'],
  ],
  'faults of devices that are served': [
    ['GP-08', '2021-2024', '"drm/panfrost: Don\'t try to map pages that are already mapped"; CVE-2024-35951'],
  ],
  'binding at an address of the user': [
    ['GP-10', '2022', '"drm/etnaviv: reap idle mapping if it doesn\'t match the softpin address"'],
  ],
  'types of pages': [['GP-20', '2019', 'the type of a page changed between check and mapping; XSA-285']],
  'the end of a heap': [['ION-09', '2012', 'a heap was destroyed while it had buffers']],
  'per-CPU blocks of kernel addresses': [
    ['PA-12', '2024', '"mm: vmalloc: ensure vmap_block is initialised before adding to queue"'],
  ],
  'switch points at the last reference': [
    ['ION-18', '2012', 'a buffer was freed before it left the tree in which others find it'],
  ],
  'attachments that are not mapped': [
    ['ION-22', '2017', 'begin and end of CPU access synced attachments that were never mapped'],
  ],
};

const originOf = ([id, year, what]: Row): Origin => ({ id, year, what });

export const ORIGINS: readonly Origin[] = [
  ...RECREATED.map(originOf),
  ...Object.entries(MISSING).flatMap(([missing, rows]) => rows.map((row) => ({ ...originOf(row), missing }))),
];
