/** Names that are nearly the one that was written: what an error message offers. */

/** Edits up to which a name still counts as near, for a word of this length. */
const editsAllowed = (word: string): number => Math.max(1, Math.floor(word.length / 3));

/** ` (did you mean alloc_pages?)` for what is near, ` (known are …)` for a short list, else nothing. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near.length > 0) return ` (did you mean ${near.join(' or ')}?)`;
  return known.length > 0 && known.length <= 8 ? ` (known: ${known.join(', ')})` : '';
}

/** The known names that are nearest to a word, at most three of them. */
export function nearest(word: string, known: readonly string[]): string[] {
  const short = word.slice(0, 64).toLowerCase();
  const scored = known.map((name) => ({ name, edits: edits(short, name.toLowerCase()) }));
  const starts = known.filter((name) => short.length >= 3 && name.toLowerCase().startsWith(short));
  const best = Math.min(...scored.map((each) => each.edits));
  if (best <= editsAllowed(short))
    return scored
      .filter((each) => each.edits === best)
      .map(({ name }) => name)
      .slice(0, 3);
  return starts.slice(0, 3);
}

/** Levenshtein distance: insertions, removals and replacements from one word to the other. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 0; at < from.length; at++) {
    const next = [at + 1];
    for (let other = 0; other < to.length; other++) {
      const replaced = (row[other] ?? 0) + (from[at] === to[other] ? 0 : 1);
      next.push(Math.min(replaced, (row[other + 1] ?? 0) + 1, (next[other] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
