/** Bugs that no search of a scope finds, each with the reason. A reason that is not needed any more is refused. */

/**
 * `several calls at once`: whoever goes on at a switch point makes more than one call there, and a search lets one be
 * made. `outside the store`: what the bug remembers is not undone, so that a search is not where it believes to be.
 */
export type Obstacle = 'several calls at once' | 'outside the store';

export interface Unexplored {
  readonly obstacle: Obstacle;
  readonly text: string;
}

export const UNEXPLORED: Readonly<Record<string, Unexplored>> = {
  'failed-size-remembered': {
    obstacle: 'outside the store',
    text: 'it remembers the size beside the store, where going back does not reach',
  },
  'bind-into-what-was-a-context': {
    obstacle: 'several calls at once',
    text: 'while a buffer is bound, the context is ended and another made in its place',
  },
  'reference-dropped-before-the-flush': {
    obstacle: 'several calls at once',
    text: 'while a buffer is unbound, it is unbound a second time and then read',
  },
};
