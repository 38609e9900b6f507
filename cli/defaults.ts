/** What options are where nobody sets them, as far as the help tells it. */
import type { PropertyName } from '../properties/index.ts';

/** Scripts that `run` draws without being told: about twenty seconds on two cores. */
export const DEFAULT_SCRIPTS: Readonly<Record<PropertyName, number>> = {
  lockstep: 61_440,
  noninterference: 16_384,
  fault: 4_096,
  schedule: 32_768,
};

export const DEFAULT_SEED = 1;

/** Scripts of each choice that `verdicts` draws without being told. */
export const VERDICT_SCRIPTS = 2048;

/** Scripts of one hunt at most: most bugs need a hundred, what the others need is rare. */
export const HUNT_SCRIPTS = 6000;

/** Commands of a script at the most, without being told: as many as somebody still reads. */
export const TEST_COMMANDS = 40;
