/** What stands below the options of `ionclad check-trace`: how a trace is recorded, and what it must have in it. */

export const TRACE_HELP = `
A trace is text of ftrace (trace, trace_pipe), trace-cmd report or perf script, as it is or packed by gzip or zstd.
"-" is standard input. Several files are several traces; --html, --markdown and --sarif write one file about all.

Which events show what, as far as the kernel has them (/sys/kernel/tracing/available_events):
  iommu:map iommu:unmap              what devices reach; needed, unless dma:* is there
  iommu:io_page_fault                faults, explained by what was mapped shortly before
  iommu:attach_device_to_domain, ... which devices there are
  kmem:mm_page_alloc mm_page_free    pages freed or handed out while they are mapped
  dma:*                              which device and driver; without an IOMMU what devices reach; since Linux 6.12
  intel_iommu:*                      flushes of the IOTLB (qi_submit; newer kernels also cache_tag_flush_*)
  dmabuf, ion and dma_heap events    buffers that are shared between drivers

Recording, with a clock that all CPUs share; sizes of buffers are for each CPU:
  cd /sys/kernel/tracing; echo mono > trace_clock; echo 65536 > buffer_size_kb
  for e in iommu dma intel_iommu kmem/mm_page_alloc kmem/mm_page_free; do echo 1 > events/$e/enable; done
  ... ; echo 0 > tracing_on; cat trace | gzip > trace.txt.gz

  trace-cmd record -C mono -b 65536 -e iommu -e dma -e intel_iommu -e mm_page_alloc -e mm_page_free COMMAND
  trace-cmd report -t | ionclad check-trace -

  perf record -a -e 'iommu:*' -e 'dma:*' -e kmem:mm_page_alloc -e kmem:mm_page_free COMMAND
  perf script --ns | ionclad check-trace -

From boot on, so that nothing is mapped that the trace does not show, on the command line of the kernel:
  trace_event=iommu:*,dma:*,intel_iommu:*,kmem:mm_page_alloc,kmem:mm_page_free trace_buf_size=64M trace_clock=mono

A buffer that is too small loses its oldest events: the report says so, and what is less certain because of it.

What is certain or likely to be wrong ends with 1. What is possible, and risks that are no violation, end with 0.
A file that is cut off or damaged is checked as far as it goes, with a line that says so, and ends as what was found
does. Ctrl-C ends the reading; what was found until then is told, and the command ends with 130.

Examples:
  ionclad check-trace trace.txt.gz
  ionclad check-trace --strict --html timeline.html boot.txt.zst work.txt.zst
  trace-cmd report trace.dat | ionclad check-trace -
`;
