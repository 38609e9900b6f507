/** Passes that take commands away. */
import { core, groups, type Pass, without } from './pass.ts';

/** Cuts the end off: half of the script, a quarter, … down to the last command. */
export const truncate: Pass = {
  name: 'truncate',
  *candidates(script, spec) {
    const { length } = script.commands;
    for (let cut = Math.floor(length / 2); cut >= 1; cut = Math.floor(cut / 2)) {
      yield without(script, new Set(Array.from({ length: cut }, (_, at) => length - cut + at)), spec);
    }
  },
};

/**
 * Delta debugging: groups of commands, with what depends on them, down to single ones. First only those
 * that the last command does not need, then each that it needs.
 */
export const removeRuns: Pass = {
  name: 'remove commands',
  *candidates(script, spec) {
    const needed = core(script, spec);
    const indices = [...script.commands.keys()];
    for (const group of groups(indices.filter((at) => !needed.has(at))))
      yield without(script, new Set(group), spec);
    for (const at of indices.filter((each) => needed.has(each)).reverse())
      yield without(script, new Set([at]), spec);
  },
};

/** Commands up to which every two of them are tried. */
const PAIRS_MAX = 24;

/** Two commands at once that only go together, such as one that takes and one that gives back. */
export const removePairs: Pass = {
  name: 'remove pairs',
  *candidates(script, spec) {
    const needed = core(script, spec);
    const others = [...script.commands.keys()].filter((at) => !needed.has(at));
    if (others.length > PAIRS_MAX) return;
    for (const [at, one] of others.entries()) {
      for (const other of others.slice(at + 1)) yield without(script, new Set([one, other]), spec);
    }
  },
};
