/** Whether a script is the shortest that shows its finding: a search over its own calls and values on its machine. */
import type { Spec, Stateful, Target } from '../../model/index.ts';
import { type Finding, isSameFinding } from '../finding.ts';
import type { PropertyName } from '../property.ts';
import type { Script } from '../script.ts';
import { explore, UnconfirmedError } from './explore.ts';
import { Replaying } from './replaying.ts';
import { CERTIFY_STATES, type Scope } from './scope.ts';
import { type ScriptScope, scopeOfScript } from './script-scope.ts';
import { type Walked, walk } from './script-walk.ts';

/**
 * `proven`: no script of fewer commands, or of as many with fewer faults or interruptions, shows the finding, made of
 * the calls of this one with the values that it gives them, on its machine. `undecided`: for this reason; without one
 * the search has not ended within so many states.
 */
export type Certificate =
  | { readonly result: 'proven'; readonly states: number }
  | { readonly result: 'undecided'; readonly states: number; readonly reason?: string };

/** What is known of a script, or a shorter one. */
export type Certified =
  | { readonly certificate: Certificate; readonly shorter?: undefined }
  | { readonly certificate?: undefined; readonly shorter: Pick<Shown, 'script' | 'finding'> };

/** What shows a finding. */
export interface Shown {
  readonly script: Script;
  readonly finding: Finding;
  /** 'lockstep' for verdicts too, with their premise. */
  readonly property: PropertyName;
  readonly premise?: string;
}

/** Searches for a shorter script. A target that cannot go back is led to every state by all its calls. */
export function certify<M, S extends Stateful>(
  spec: Spec<M, S>,
  asked: Target<M>,
  shown: Shown,
  states: number = CERTIFY_STATES,
): Certified {
  const reason = reasonAgainst(asked, shown);
  if (reason !== undefined) return undecided(0, reason);
  const target = asked.undoable === undefined ? new Replaying(asked) : asked;
  const { script, finding, property, premise } = shown;
  const all = scopeOfScript(spec, target, script, property, premise);
  const walked: Walked =
    all.problem === undefined
      ? walk(spec, target, all, finding, premise)
      : { problem: all.problem, returns: false };
  const { problem, returns } = walked;
  const certified = new Certifying(spec, target, shown, states).search(all);
  // Something shorter was run from boot, wherever it was found; that there is nothing is worth what the search is.
  if (certified.certificate === undefined || (problem === undefined && !returns)) return certified;
  return undecided(certified.certificate.states, problem ?? SAME);
}

const SAME = 'its fingerprints do not tell the states of the script apart';

const undecided = (states: number, reason?: string): Certified => ({
  certificate: { result: 'undecided', states, ...(reason === undefined ? {} : { reason }) },
});

/** Why no search could say anything. */
function reasonAgainst<M>(target: Target<M>, { finding, property }: Shown): string | undefined {
  if (finding.kind === 'flaky') return 'a target that does not do the same every time is not searched';
  if (finding.kind === 'duty') return 'calls that no caller may make are not searched';
  if (property === 'noninterference') return 'pairs of runs are not searched';
  return target.capabilities.has('page-numbers') ? undefined : 'the target does not show page numbers';
}

class Certifying<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #shown: Shown;
  readonly #most: number;
  #states = 0;

  constructor(spec: Spec<M, S>, target: Target<M>, shown: Shown, most: number) {
    this.#spec = spec;
    this.#target = target;
    this.#shown = shown;
    this.#most = most;
  }

  search({ scope }: ScriptScope): Certified {
    for (const budget of budgets(this.#shown.script.commands.length, scope)) {
      const ended = this.#one({ ...scope, ...budget });
      if (ended !== undefined) return ended;
    }
    return { certificate: { result: 'proven', states: this.#states } };
  }

  /** One search. Undefined: there is nothing shorter in it. */
  #one(scope: Scope): Certified | undefined {
    const { finding, premise } = this.#shown;
    const isShown = ({ kind, call }: Finding): boolean =>
      scope.trials !== true || kind === 'crash' || call.fail !== undefined;
    const wants = (other: Finding): boolean => isShown(other) && isSameFinding(other, finding);
    const left = this.#most - this.#states;
    try {
      const asked = { ...(premise === undefined ? {} : { premise }), wants };
      const { found, states, ending } = explore(this.#spec, this.#target, { ...scope, states: left }, asked);
      this.#states += states;
      if (found !== undefined)
        return isSameFinding(found.finding, finding)
          ? { shorter: found }
          : undecided(
              this.#states,
              'from boot a script that was found shows something else than in the search',
            );
      return ending === 'states' ? undecided(this.#states) : undefined;
    } catch (cause) {
      if (!(cause instanceof UnconfirmedError)) throw cause;
      return undecided(this.#states, cause.message);
    }
  }
}

/**
 * What is searched so that nothing smaller is left out: a move in which a call interrupts another is two commands.
 * Fewer commands, whatever the interruptions; as many, with fewer of them; as many, with fewer faults.
 */
function budgets(
  commands: number,
  { faults, overlaps, trials }: Pick<ScriptScope['scope'], 'faults' | 'overlaps' | 'trials'>,
): Pick<Scope, 'depth' | 'faults' | 'overlaps'>[] {
  const fewer = Array.from({ length: overlaps }, (_, at) => ({ faults, overlaps: at, depth: commands - at }));
  return [
    { faults, overlaps, depth: commands - 1 - overlaps },
    ...fewer,
    ...(faults > 0 && trials !== true ? [{ faults: faults - 1, overlaps, depth: commands - overlaps }] : []),
  ];
}
