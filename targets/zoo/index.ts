/** All bugs, by layer from the bottom up. */
import { BUG_LAYERS, type Bug, infect } from './bug.ts';
import { CPU_BUGS } from './cpu.ts';
import { DMA_BUGS } from './dma.ts';
import { GPU_BUGS } from './gpu.ts';
import { IOMMU_BUGS } from './iommu.ts';
import { ION_BUGS } from './ion.ts';
import { IOVA_BUGS } from './iova.ts';
import { METADATA_BUGS } from './metadata.ts';
import { ORIGINS, type Origin } from './origins.ts';
import { PAGES_BUGS } from './pages.ts';
import { RACE_BUGS } from './races.ts';
import { SG_BUGS } from './sg.ts';
import { SHARING_BUGS } from './sharing.ts';
import { TABLES_BUGS } from './tables.ts';
import { type Obstacle, UNEXPLORED, type Unexplored } from './unexplored.ts';

export { BUG_LAYERS, type Bug, infect, type Obstacle, ORIGINS, type Origin, UNEXPLORED, type Unexplored };

export const ZOO: readonly Bug[] = [
  ...PAGES_BUGS,
  ...METADATA_BUGS,
  ...SG_BUGS,
  ...TABLES_BUGS,
  ...IOMMU_BUGS,
  ...IOVA_BUGS,
  ...DMA_BUGS,
  ...CPU_BUGS,
  ...ION_BUGS,
  ...SHARING_BUGS,
  ...GPU_BUGS,
  ...RACE_BUGS,
];

/** The bug of a target name such as `zoo/stale-iotlb`, or undefined. */
export const bugOf = (target: string): Bug | undefined => ZOO.find(({ name }) => target === `zoo/${name}`);
