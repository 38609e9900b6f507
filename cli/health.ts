/** Whether a run that found nothing has looked at as much as it seems: what is told with its result. */
import { type Capability, SPEC } from '../model/index.ts';
import type { RunOptions } from './options.ts';
import { narrowed, planFor } from './plan.ts';
import type { Summary } from './summary.ts';
import { many, percent } from './table.ts';
import { isForeign } from './targets.ts';

/** Where more is skipped than made, a script does less than half of what was drawn; a quarter is usual. */
const SKIPPED_MAX = 0.5;
/** The rarest call is in one of 20 scripts: that it is in none of so many means that it cannot be made. */
const SCRIPTS_FOR_CALLS = 1_024;
/** The rarest situation is met in one of 600 scripts: some thirty times in so many. */
const SCRIPTS_FOR_SITUATIONS = 16_384;

interface Tested {
  readonly capabilities: ReadonlySet<Capability>;
  readonly calls?: ReadonlySet<string>;
}

/** What makes the run worth less than its figures, one sentence each. */
export function warningsOf(summary: Summary, options: RunOptions, target: Tested): string[] {
  const { commands, scripts, skippedMissing, skippedDuty, neverMade } = summary;
  const skipped = skippedMissing + skippedDuty;
  const wanted = planFor(narrowed(options), target).only;
  const missing = scripts < SCRIPTS_FOR_CALLS ? [] : neverMade.filter((op) => wanted?.has(op) !== false);
  return [
    ...(skipped > SKIPPED_MAX * (commands + skipped)
      ? [
          `${percent(skipped, commands + skipped)} of the commands were skipped: ` +
            'scripts did less than half of what was drawn',
        ]
      : []),
    ...missing.map(
      (op) => `${op} was never made in ${many(scripts, 'script')}: nothing gives what it needs, or no more`,
    ),
    ...unmet(summary, options, target).map(
      (name) => `never met in ${many(scripts, 'script')}, where it should be: ${name}`,
    ),
  ];
}

/** Situations that all calls on all machines meet for certain: where some are ruled out, a situation may be too. */
function unmet({ scripts, labels }: Summary, options: RunOptions, { calls }: Tested): string[] {
  const { property, only, premise, machine, target } = options;
  const isRestricted = only !== undefined || premise !== undefined || Object.keys(machine).length > 0;
  // What a stranger shows of itself decides which situations are recognised.
  const isKnown = !isForeign(target.name) && Object.keys(SPEC.calls).every((op) => calls?.has(op) !== false);
  if (scripts < SCRIPTS_FOR_SITUATIONS || property !== 'lockstep' || isRestricted || !isKnown) return [];
  return Object.keys(labels).filter((name) => labels[name] === 0);
}
