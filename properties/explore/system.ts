/** What is searched. The search knows neither specifications nor targets. */
import type { Finding } from '../finding.ts';

/** Whether the state of a fingerprint was visited, and nothing was found in it. */
export type IsKnown = (fingerprint: readonly [low: number, high: number]) => boolean;

/** It makes moves, goes back, and tells its states apart. */
export interface System {
  /** Moves of the present state. Each is named by its index, which means the same whenever one is in this state. */
  count(): number;
  /**
   * Makes a move on top of a mark. `undue`: it may not be made here, or would be another move's double; then nothing
   * has changed, and there is no mark.
   */
  make(move: number): 'made' | 'undue' | Finding;
  /** The move alone must be held against what holds before and after, although its state is known. */
  asksToLook(): boolean;
  /** What is wrong with the state that the last move led to, or with the move. */
  look(): Finding | undefined;
  /**
   * The same for what is dear: asked of new states only, after {@link look}.
   *
   * @param isKnown - whether a state was visited, with nothing found in it; undefined: nobody knows
   */
  lookFurther?(isKnown?: IsKnown): Finding | undefined;
  /** How many states the present one stands for, where a search visits one of several that are alike. */
  standsFor?(): number;
  /** Back to before the last move. */
  back(): void;
  /** 64 bits that tell states apart. */
  fingerprint(): readonly [low: number, high: number];
}
