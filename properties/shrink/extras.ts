/** Passes that take away what stands beside the arguments: faults, actors, preemptions. */
import type { Command } from '../script.ts';
import { groups, type Pass, replaceCommand } from './pass.ts';

/** Fewer faults: none, half of them, each alone; then each at an earlier asking. */
export const fewerFaults: Pass = {
  name: 'fewer faults',
  *candidates(script) {
    const failing = [...script.commands.entries()].filter(([, { fail }]) => fail !== undefined);
    for (const group of groups(failing)) {
      const bare = new Map(group.map(([at, { fail, ...command }]): [number, Command] => [at, command]));
      yield { ...script, commands: script.commands.map((command, at) => bare.get(at) ?? command) };
    }
    for (const [at, command] of failing) {
      for (const [site, n] of Object.entries(command.fail ?? {})) {
        for (let earlier = 1; earlier < n; earlier++)
          yield replaceCommand(script, at, { ...command, fail: { ...command.fail, [site]: earlier } });
      }
    }
  },
};

/** Fewer preemptions, then fewer commands that another actor than the first makes. */
export const fewerPreemptions: Pass = {
  name: 'fewer preemptions and actors',
  *candidates(script) {
    const { schedule = [], ...rest } = script;
    for (const group of groups([...schedule.keys()])) {
      const left = schedule.filter((_preemption, at) => !group.includes(at));
      yield left.length === 0 ? rest : { ...rest, schedule: left };
    }
    const acting = [...script.commands.entries()].filter(([, { actor }]) => actor !== undefined);
    for (const group of groups(acting)) {
      const bare = new Map(group.map(([at, { actor, ...command }]): [number, Command] => [at, command]));
      yield { ...script, commands: script.commands.map((command, at) => bare.get(at) ?? command) };
    }
  },
};
