/** What part of a scale is seen: zooming and moving it, without ever leaving the whole. */

export interface View {
  readonly min: number;
  readonly max: number;
}

/** @param factor - below 1 nearer, above 1 farther; the value `at` stays where it is on the screen */
export function zoomed(view: View, whole: View, factor: number, at: number, least: number): View {
  const span = view.max - view.min;
  const size = Math.max(span * factor, Math.min(least, span));
  const share = span === 0 ? 0.5 : (at - view.min) / span;
  const min = at - size * share;
  return within({ min, max: min + size }, whole);
}

/** @param share - of what is seen; positive towards larger values */
export function moved(view: View, whole: View, share: number): View {
  const by = (view.max - view.min) * share;
  return within({ min: view.min + by, max: view.max + by }, whole);
}

/** A view of some values with a margin around them, at least `least` wide. */
export function around(values: readonly number[], whole: View, least: number): View {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const half = Math.max((high - low) * 0.65, least / 2);
  const middle = (low + high) / 2;
  return within({ min: middle - half, max: middle + half }, whole);
}

/** The same size, moved into the whole; the whole where it does not fit. */
function within({ min, max }: View, whole: View): View {
  if (max - min >= whole.max - whole.min) return whole;
  if (min < whole.min) return { min: whole.min, max: whole.min + (max - min) };
  if (max > whole.max) return { min: whole.max - (max - min), max: whole.max };
  return { min, max };
}
