/** The pass that keeps only what the last command depends on. */
import type { Spec, Stateful } from '../../model/index.ts';
import type { Command, Script } from '../script.ts';
import { closureOf, core, type Pass, referencesOf, withSchedule } from './pass.ts';

/**
 * The dependence slice of the last command, from the narrowest: what makes what it names; besides, what
 * uses the same things; besides, what uses anything that these make or name. Each with and without what
 * names nothing, such as a tick.
 */
export const slice: Pass = {
  name: 'dependence slice',
  *candidates(script, spec) {
    const loose = looseOf(script, spec);
    let kept = core(script, spec);
    let names = new Set(referencesOf(script.commands.at(-1) ?? { op: '' }, spec));
    for (let step = 0; step < STEPS; step++) {
      yield only(script, kept);
      if (loose.length > 0) yield only(script, new Set([...kept, ...loose]));
      kept = closureOf(script, [...kept, ...usersOf(script, names, spec)], spec);
      names = namesOf(script, kept, spec);
    }
  },
};

/** How often what uses the same things is taken in: after so many, it is most of a script. */
const STEPS = 4;

/** Commands that use one of these results. */
function usersOf<M, S extends Stateful>(
  script: Script,
  names: ReadonlySet<string>,
  spec: Spec<M, S>,
): number[] {
  return [...script.commands.entries()].flatMap(([at, command]) =>
    referencesOf(command, spec).some((name) => names.has(name)) ? [at] : [],
  );
}

/** Results that some commands make or use. */
function namesOf<M, S extends Stateful>(
  { commands }: Script,
  those: Iterable<number>,
  spec: Spec<M, S>,
): Set<string> {
  const some = [...those].map((at) => commands[at] as Command);
  return new Set(
    some.flatMap((command) => [
      ...(command.as === undefined ? [] : [command.as]),
      ...referencesOf(command, spec),
    ]),
  );
}

/** Commands that neither name a result nor are named. */
function looseOf<M, S extends Stateful>({ commands }: Script, spec: Spec<M, S>): number[] {
  return [...commands.entries()].flatMap(([at, command]) =>
    command.as === undefined && referencesOf(command, spec).length === 0 ? [at] : [],
  );
}

const only = (script: Script, kept: ReadonlySet<number>): Script =>
  withSchedule({ ...script, commands: script.commands.filter((_command, at) => kept.has(at)) });
