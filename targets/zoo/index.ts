/** All bugs, by layer from the bottom up. */
import { type Bug, infect } from './bug.ts';
import { IOMMU_BUGS } from './iommu.ts';
import { ION_BUGS } from './ion.ts';
import { PAGES_BUGS } from './pages.ts';
import { SG_BUGS } from './sg.ts';

export { type Bug, infect };

export const ZOO: readonly Bug[] = [...PAGES_BUGS, ...SG_BUGS, ...IOMMU_BUGS, ...ION_BUGS];

/** The bug of a target name such as `zoo/stale-iotlb`, or undefined. */
export const bugOf = (target: string): Bug | undefined => ZOO.find(({ name }) => target === `zoo/${name}`);
