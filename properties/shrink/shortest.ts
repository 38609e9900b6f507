/** What shrinking ends with, and a search for what is shorter still: passes only ever look nearby. */
import type { Spec, Stateful, Target } from '../../model/index.ts';
import { certify, type Shown } from '../explore/certify.ts';
import type { Finding } from '../finding.ts';
import type { Script } from '../script.ts';
import { type Shrunk, shrink } from './shrink.ts';

/**
 * A script that was shrunk, or a shorter one that shows the same, with what is known of its length. A shorter one is
 * shrunk too: on a smaller machine, with other values, there may be more.
 *
 * @param run - runs a script from boot and returns what it finds
 * @param states - at the most in the searches for one script
 */
export function shortest<M, S extends Stateful>(
  spec: Spec<M, S>,
  target: Target<M>,
  asked: Pick<Shown, 'property' | 'premise'>,
  shrunk: Shrunk,
  run: (script: Script) => Finding | undefined,
  states?: number,
): Shrunk {
  let best = shrunk;
  for (;;) {
    const { certificate, shorter } = certify(spec, target, { ...asked, ...best }, states);
    if (shorter === undefined) return { ...best, certificate };
    const again = shrink(spec, shorter.script, shorter.finding, run);
    best = { ...again, executions: best.executions + again.executions };
  }
}
