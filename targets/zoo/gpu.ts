/** Bugs of the GPU driver: contexts, bindings, jobs. */
import { CONTEXT_GPU } from '../../impl/iommu.ts';
import { READ, WRITE } from '../../impl/tables.ts';
import type { Bug } from './bug.ts';

export const GPU_BUGS: readonly Bug[] = [
  {
    name: 'bind-counts-twice',
    origin: 'invented',
    layer: 'gpu',
    catches: 'C2',
    text: 'a binding takes two references and drops one',
    needs: [],
    patch({ ion, gpu }) {
      const publish = gpu.publish.bind(gpu);
      gpu.publish = (context, ioPage, buffer) => {
        ion.takeReference(buffer);
        publish(context, ioPage, buffer);
      };
    },
  },
  {
    name: 'maps-into-the-first-context',
    origin: 'GP-09',
    layer: 'gpu',
    catches: 'I3',
    text: 'a buffer is mapped into whichever GPU context has the lowest id',
    needs: [],
    patch({ gpu, iommu }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        let first = 0;
        while (!gpu.isContext(first)) first++;
        if (ioPage < 0 || first === context) return ioPage;
        for (let i = 0; i < gpu.countOf(buffer); i++) {
          iommu.tables.map(iommu.rootOf(first), ioPage + i, gpu.ion.buffers.pageAt(buffer, i), rights);
        }
        return ioPage;
      };
    },
  },
  {
    name: 'jobs-outlive-their-context',
    origin: 'invented',
    layer: 'gpu',
    catches: 'P1',
    text: 'jobs of a context that has ended are still queued',
    needs: [],
    patch({ jobs }) {
      jobs.kill = () => {};
    },
  },
  {
    name: 'no-sync-at-submit',
    origin: 'DM-11',
    layer: 'gpu',
    catches: 'H1',
    text: 'what CPUs wrote since a buffer was bound does not get to memory before a job starts',
    needs: [],
    only: [
      'ion_client_create',
      'ion_alloc',
      'gpu_context_create',
      'gpu_bind',
      'gpu_submit',
      'ion_map_kernel',
      'cpu_write',
    ],
    patch({ gpu }) {
      gpu.syncForDevice = () => {};
    },
  },
  {
    name: 'no-sync-after-a-job',
    origin: 'invented',
    layer: 'gpu',
    catches: 'H1',
    text: 'CPUs go on to read their copies of what a job has written',
    needs: [],
    patch({ jobs }) {
      jobs.completed = () => {};
    },
  },
  {
    name: 'pages-back-before-the-flush',
    origin: 'GP-01',
    layer: 'gpu',
    catches: 'I1',
    text: 'the pages of a buffer are given back while the IOTLB still translates to them',
    needs: [],
    patch({ gpu, iommu }) {
      gpu.unmapBuffer = (context, ioPage, count) => {
        iommu.clearEntries(context, ioPage, count);
        gpu.freeRange(context, ioPage, count);
      };
    },
  },
  {
    name: 'bound-to-write',
    origin: 'GP-14',
    layer: 'gpu',
    catches: 'I4',
    text: 'what is bound for reading is mapped for writing too',
    needs: [],
    patch({ gpu }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer) => map(context, buffer, READ | WRITE);
    },
  },
  {
    name: 'one-space-for-all',
    origin: 'ION-07',
    layer: 'gpu',
    catches: 'I3',
    text: 'all GPU contexts have one address space: every client reaches what any of them has bound',
    needs: [],
    patch({ iommu }) {
      iommu.spaceFor = (context, type) => (type === CONTEXT_GPU ? iommu.shared : context);
    },
  },
  {
    name: 'error-taken-for-an-address',
    origin: 'DM-09',
    layer: 'gpu',
    catches: 'S3',
    text: 'the error of a mapping is not looked at: it passes for the last address there is',
    needs: ['fault'],
    patch({ gpu, iommu }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        return ioPage < 0 ? iommu.ioPages - 1 : ioPage;
      };
    },
  },
  {
    name: 'reference-of-a-failed-bind',
    origin: 'invented',
    layer: 'gpu',
    catches: 'C2',
    text: 'a bind that cannot map keeps the reference that it took first',
    needs: ['fault'],
    patch({ gpu, ion }) {
      const map = gpu.mapBuffer.bind(gpu);
      gpu.mapBuffer = (context, buffer, rights) => {
        const ioPage = map(context, buffer, rights);
        if (ioPage < 0) ion.takeReference(buffer);
        return ioPage;
      };
    },
  },
  {
    name: 'job-repeats-a-line',
    origin: 'invented',
    layer: 'device',
    catches: 'H2',
    text: 'a job that comes to the end of a page goes on beyond the last line before it goes to the next page',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'gpu_context_create', 'gpu_bind', 'gpu_submit', 'tick_engine'],
    patch({ jobs }) {
      jobs.advance = (job) => {
        jobs.left.add(job, -1);
        if (jobs.line.add(job, 1) <= jobs.linesPerPage) return;
        jobs.line.set(job, 0);
        jobs.ioPage.add(job, 1);
      };
    },
  },
];
