/** Which key does what. */

export type Command =
  | 'in'
  | 'out'
  | 'earlier'
  | 'later'
  | 'up'
  | 'down'
  | 'rows-in'
  | 'rows-out'
  | 'whole'
  | 'to-picked'
  | 'next-finding'
  | 'previous-finding'
  | 'next-mapping'
  | 'previous-mapping'
  | 'clear';

const KEYS: Readonly<Record<string, Command>> = {
  ...{ '+': 'in', '=': 'in', w: 'in', '-': 'out', s: 'out' },
  ...{ ArrowLeft: 'earlier', a: 'earlier', ArrowRight: 'later', d: 'later' },
  ...{ ArrowUp: 'up', ArrowDown: 'down', '0': 'whole', Home: 'whole' },
  ...{ n: 'next-finding', p: 'previous-finding', ']': 'next-mapping', '[': 'previous-mapping' },
  f: 'to-picked',
  Escape: 'clear',
};
const WITH_SHIFT: Readonly<Record<string, Command>> = { ArrowUp: 'rows-in', ArrowDown: 'rows-out' };

interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly target: unknown;
}

/** Nothing where the browser has a use for the key itself: shortcuts, fields, and lists that scroll. */
export function commandOf({ key, shiftKey, ctrlKey, metaKey, altKey, target }: Key): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const { closest } = (target ?? {}) as Partial<Pick<Element, 'closest'>>;
  const isIn = (places: string): boolean => closest?.call(target, places) != null;
  if (isIn('input, select') || (key.startsWith('Arrow') && isIn('aside, header'))) return undefined;
  return (shiftKey ? WITH_SHIFT[key] : undefined) ?? KEYS[key];
}
