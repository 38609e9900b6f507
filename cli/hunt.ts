/** One bug of the zoo hunted with one seed: what it takes until something fires. */
import { SPEC } from '../model/index.ts';
import {
  chunkCount,
  type Found,
  type PropertyName,
  runChunk,
  type Shrunk,
  shrink,
  trialOf,
} from '../properties/index.ts';
import { type Bug, infect } from '../targets/zoo/index.ts';
import { planFor } from './plan.ts';

/** Plain data: it crosses from one thread to another. */
export interface Hunted {
  readonly bug: string;
  readonly seed: number;
  /** Scripts and commands that were run, up to the finding where there is one. */
  readonly scripts: number;
  readonly commands: number;
  /** What `ionclad run --target zoo/<bug>` finds with the bug's property and calls. */
  readonly found?: Found;
}

/** The property that shows a bug. */
export const propertyOf = (bug: Bug): PropertyName => bug.property ?? 'lockstep';

/** Runs scripts until something is found, at most so many. */
export function hunt(bug: Bug, seed: number, scripts: number): Hunted {
  const target = infect(bug);
  const plan = planFor({ machine: {}, only: bug.only }, target);
  const campaign = { spec: SPEC, target, seed, plan, property: propertyOf(bug) };
  let spent = { scripts: 0, commands: 0 };
  for (let chunk = 0; chunk < chunkCount(scripts); chunk++) {
    const { counts, found } = runChunk(campaign, chunk, scripts);
    spent = { scripts: spent.scripts + counts.scripts, commands: spent.commands + counts.commands };
    if (found !== undefined) return { bug: bug.name, seed, ...spent, found };
  }
  return { bug: bug.name, seed, ...spent };
}

/** What was found, made smaller. */
export const shrinkHunted = (bug: Bug, { script, finding }: Found): Shrunk =>
  shrink(SPEC, script, finding, trialOf(propertyOf(bug), SPEC, infect(bug)).again);
