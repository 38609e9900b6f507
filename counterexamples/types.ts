/** What a case consists of. */
import type { Certificate, Finding, Script } from '../properties/index.ts';

/**
 * What was run. `lockstep`: script against specification. `verdict`: the same for each value of a policy, where
 * only findings count for which the premise holds. `schedule`: with calls interrupted as the script says.
 * `noninterference`: with and without the commands of other clients. `fault`: a command is tried with a fault at the
 * n-th asking of a site, and what is shown after it is held against what was shown before. `nondeterminism`: the script
 * is run several times, and what is answered and found must be the same. `duty`: lockstep in which the callers are
 * judged too: a call that none may make then is a finding.
 */
export type Property =
  | { readonly name: 'lockstep' }
  | { readonly name: 'verdict'; readonly policy: string; readonly premise: string }
  | { readonly name: 'schedule' }
  | { readonly name: 'noninterference'; readonly client: string }
  | { readonly name: 'nondeterminism' }
  | { readonly name: 'duty' }
  | { readonly name: 'fault'; readonly command: number; readonly site: string; readonly n: number };

/** Where a case comes from: a run that can be repeated, or a person. */
export type Origin =
  | { readonly seed: number; readonly index: number; readonly version?: string }
  | { readonly by: string; readonly version?: string };

/** The part of a finding that is kept: what it is about, and which command shows it. */
export type CaseFinding = Pick<Finding, 'kind' | 'serves' | 'clause' | 'layer' | 'detail' | 'command'>;

export type Expectation = 'broken' | 'holds';

export interface Case {
  readonly format: number;
  /** One sentence. */
  readonly title: string;
  readonly property: Property;
  /** Name of the target that it was found on. */
  readonly target?: string;
  readonly found?: Origin;
  readonly finding?: CaseFinding;
  /** Whether a shorter script shows it; it says nothing of other targets and of later versions. */
  readonly certificate?: Certificate;
  /** What each target must do; for a verdict, each value of the policy. */
  readonly expect?: Readonly<Record<string, Expectation>>;
  readonly script: Script;
}
