/** The pass that makes one larger thing do for several: what shortages and fragmentation are made of. */
import type { ArgShape, Spec, Stateful } from '../../model/index.ts';
import { limitsOfScript } from '../machine.ts';
import type { Argument, Command, Script } from '../script.ts';
import { isWhole, type Pass, replaceCommand, without } from './pass.ts';

/**
 * A command goes, and another of the same call takes its number over: the sum, twice as much, one unit
 * more; with more pages, too, where it matters how many there are.
 */
export const redistribute: Pass = {
  name: 'redistribute',
  *candidates(script, spec) {
    const { commands, machine } = script;
    const limits = limitsOfScript(spec, machine);
    for (const [at, gone] of commands.entries()) {
      if (gone.as === undefined) continue;
      for (const other of nearest(commands, at)) {
        const command = commands[other] as Command;
        for (const [name, shape] of Object.entries(spec.calls[gone.op]?.args ?? {})) {
          for (const value of sums(shape, gone[name] as Argument, command[name] as Argument, limits)) {
            const larger = replaceCommand(script, other, { ...command, [name]: value });
            yield* grown(without(larger, new Set([at]), spec), script, spec);
          }
        }
      }
    }
  },
};

/** The next commands of the same call, before and after. */
const nearest = (commands: readonly Command[], at: number): number[] => {
  const same = [...commands.keys()].filter((other) => commands[other]?.op === commands[at]?.op);
  const place = same.indexOf(at);
  return [...same.slice(Math.max(place - 1, 0), place), ...same.slice(place + 1, place + 2)];
};

/** Pages more that a larger thing may need. */
const MORE = [1, 2, 4, 8];

/** The script as it is and with more pages, unless what fails is gone. */
function* grown<M, S extends Stateful>(script: Script, from: Script, spec: Spec<M, S>): Generator<Script> {
  const { machine, commands } = script;
  if (commands.at(-1)?.op !== from.commands.at(-1)?.op) return;
  yield script;
  const { pages } = machine;
  if (typeof pages !== 'number') return;
  for (const more of MORE) {
    const larger = { ...machine, pages: pages + more };
    if (isWhole(larger, spec)) yield { ...script, machine: larger };
  }
}

function sums(
  shape: ArgShape,
  one: Argument,
  other: Argument,
  limits: Readonly<Record<string, number>>,
): Set<number> {
  if (shape.is !== 'number' || typeof one !== 'number' || typeof other !== 'number') return new Set();
  const unit = shape.unit === undefined ? 1 : (limits[shape.unit] ?? 1);
  const whole = (value: number): number => Math.ceil(value / unit) * unit;
  return new Set([whole(one) + whole(other), 2 * whole(other), whole(other) + unit]);
}
