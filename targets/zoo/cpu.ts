/** Bugs of CPU caches and of devices: what the one writes and the other reads. */
import type { Bug } from './bug.ts';

export const CPU_BUGS: readonly Bug[] = [
  {
    name: 'reads-the-first-line',
    origin: 'invented',
    layer: 'device',
    catches: 'H1',
    text: 'a device reads the first line of a page whatever the address',
    needs: [],
    patch({ engine, memory }) {
      const read = engine.readLine.bind(engine);
      engine.readLine = (context, ioLine) => read(context, ioLine - (ioLine % memory.linesPerPage));
    },
  },
  {
    name: 'runs-into-the-next-client',
    origin: 'invented',
    layer: 'cpu',
    catches: 'P3',
    text: 'an access beyond the last page of one application goes on in the first of the next',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'fd_send', 'ion_mmap', 'cpu_write', 'cpu_read'],
    patch({ cpu }) {
      const enter = cpu.enter.bind(cpu);
      cpu.enter = () => enter(Number.MAX_SAFE_INTEGER);
    },
  },
  {
    name: 'writes-two-lines',
    origin: 'invented',
    layer: 'device',
    catches: 'H2',
    text: 'writing a line of a page overwrites the next one too',
    needs: [],
    patch({ memory }) {
      const write = memory.writeLine.bind(memory);
      memory.writeLine = (page, line, tag) => {
        write(page, line, tag);
        if (line + 1 < memory.linesPerPage) write(page, line + 1, tag);
      };
    },
  },
  {
    name: 'eviction-loses',
    origin: 'invented',
    layer: 'cpu',
    catches: 'H2',
    text: 'a line that leaves the cache is not written back',
    needs: [],
    patch({ cache }) {
      const evict = cache.evict.bind(cache);
      const clean = cache.cleanLine.bind(cache);
      cache.evict = (entry) => {
        cache.cleanLine = () => {};
        evict(entry);
        cache.cleanLine = clean;
      };
    },
  },
  {
    name: 'zeros-left-in-the-cache',
    origin: 'DM-11',
    layer: 'cpu',
    catches: 'H3',
    text: 'the zeros of a buffer with uncached mappings are still in the cache when it is handed out',
    needs: [],
    patch({ buffers }) {
      buffers.settle = () => {};
    },
  },
  {
    name: 'cleaned-by-dropping',
    origin: 'invented',
    layer: 'cpu',
    catches: 'H2',
    text: 'what should be written back for a device is dropped from the cache',
    needs: [],
    patch({ buffers }) {
      buffers.clean = (buffer) => buffers.invalidate(buffer);
    },
  },
  {
    name: 'attribute-ignored',
    origin: 'invented',
    layer: 'cpu',
    catches: 'H3',
    text: 'a CPU writes through its cache, whatever the mapping says',
    needs: [],
    only: ['ion_client_create', 'ion_alloc', 'ion_share', 'ion_mmap', 'ion_map_kernel', 'cpu_write'],
    patch({ cpu }) {
      const translate = cpu.translate.bind(cpu);
      cpu.translate = (page) => {
        const mapping = translate(page);
        return mapping === 0 ? 0 : mapping | 1;
      };
    },
  },
];
