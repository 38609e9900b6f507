/** Passes that take commands away. */
import type { Spec, Stateful } from '../../model/index.ts';
import type { Script } from '../script.ts';
import { type Pass, without } from './pass.ts';

/** Cuts the end off: half of the script, a quarter, … down to the last command. */
export const truncate: Pass = {
  name: 'truncate',
  *candidates(script, spec) {
    const { length } = script.commands;
    for (let cut = Math.floor(length / 2); cut >= 1; cut = Math.floor(cut / 2)) {
      yield removeRun(script, spec, length - cut, cut);
    }
  },
};

/** Delta debugging: runs of commands, with what depends on them, from half of the script to single ones. */
export const removeRuns: Pass = {
  name: 'remove commands',
  *candidates(script, spec) {
    const { length } = script.commands;
    for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = length - size; from > -size; from -= size)
        yield removeRun(script, spec, Math.max(from, 0), size);
    }
  },
};

function removeRun<M, S extends Stateful>(
  script: Script,
  spec: Spec<M, S>,
  from: number,
  count: number,
): Script {
  return without(script, new Set(Array.from({ length: count }, (_, at) => from + at)), spec);
}

/** Takes a fault or an actor away from one command, and preemptions from the schedule. */
export const removeExtras: Pass = {
  name: 'remove faults, actors and preemptions',
  *candidates(script) {
    const { schedule, ...rest } = script;
    if (schedule !== undefined) {
      yield rest;
      for (const index of schedule.keys()) yield { ...script, schedule: schedule.toSpliced(index, 1) };
    }
    for (const [index, command] of script.commands.entries()) {
      const { fail, actor, ...bare } = command;
      if (fail !== undefined)
        yield {
          ...script,
          commands: script.commands.with(index, { ...bare, ...(actor === undefined ? {} : { actor }) }),
        };
      if (actor !== undefined)
        yield {
          ...script,
          commands: script.commands.with(index, { ...bare, ...(fail === undefined ? {} : { fail }) }),
        };
    }
  },
};
