/** The calls that can be made, numbered; and calls as people type them. */
import { type Arg, type Call, SPEC } from '../model/index.ts';
import { showCall } from '../properties/index.ts';
import { wrapped } from './table.ts';

/** Calls of a list that are shown at once. */
const SHOWN_MAX = 30;
const WIDTH = 90;

/** Without words, each layer's calls with their numbers; with some, the calls that contain all of them. */
export function callLines(
  calls: readonly Call[],
  words: readonly string[],
  most: number = SHOWN_MAX,
): string[] {
  if (calls.length === 0) return ['no call can be made'];
  if (words.length === 0) return layerLines(calls);
  const found = calls.flatMap((call, at) =>
    matches(call, words) ? [`${numberText(at)}  ${showCall(call)}`] : [],
  );
  if (found.length === 0) return [`no call has "${words.join(' ')}" in it`];
  const rest = found.length - most;
  return rest <= 0 ? found : [...found.slice(0, most), `      and ${rest} more: type more of the call`];
}

const numberText = (at: number): string => String(at + 1).padStart(4);

function matches(call: Call, words: readonly string[]): boolean {
  const text = `${SPEC.calls[call.op]?.layer} ${showCall(call)}`;
  return words.every((word) => text.includes(word));
}

function layerLines(calls: readonly Call[]): string[] {
  const layers = new Map<string, string[]>();
  for (let at = 0; at < calls.length; at++) {
    const { op } = calls[at] as Call;
    const first = at;
    while (calls[at + 1]?.op === op && calls[at + 1]?.fail === undefined) at++;
    const layer = SPEC.calls[op]?.layer ?? '';
    const numbers = first === at ? `${first + 1}` : `${first + 1}-${at + 1}`;
    layers.set(layer, [...(layers.get(layer) ?? []), `${numbers} ${op}`]);
  }
  return [...layers].flatMap(([layer, texts]) => wrapped(`${layer.padEnd(8)} ${texts.join(', ')}`, WIDTH));
}

/**
 * Reads a call in the spelling in which calls are shown: `alloc_pages(order 2)`. Undefined: it is none.
 *
 * @returns the problem, where it names a call and its arguments are not those
 */
export function readCall(text: string): Call | string | undefined {
  const [, op = '', inside = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
  const shapes = SPEC.calls[op]?.args;
  if (shapes === undefined) return undefined;
  const args: Record<string, Arg> = {};
  const fail: Record<string, number> = {};
  for (const part of inside.split(',').filter((each) => each.trim() !== '')) {
    const [, site = '', asking] = /^(\S+) fails at (\d+)$/.exec(part.trim()) ?? [];
    if (asking !== undefined && SPEC.sites[site] === undefined) return `there is no fault site "${site}"`;
    if (asking !== undefined) {
      fail[site] = Number(asking);
      continue;
    }
    const [name = '', ...rest] = part.trim().split(' ');
    const shape = shapes[name];
    if (shape === undefined)
      return `${op} has no argument "${name}"; it has ${Object.keys(shapes).join(', ')}`;
    const value = argOf(shape.is, rest.join(' '));
    if (value === undefined) return `${op}: ${name}: "${rest.join(' ')}" cannot be read`;
    args[name] = value;
  }
  const missing = Object.keys(shapes).filter((name) => args[name] === undefined);
  if (missing.length > 0) return `${op} needs ${missing.join(', ')}`;
  return Object.keys(fail).length === 0 ? { op, args } : { op, args, fail };
}

function argOf(is: string, text: string): Arg | undefined {
  if (is === 'word') return text === '' ? undefined : text;
  const [, list] = /^\[(.*)\]$/.exec(text) ?? [];
  const items = list?.split(' ').filter((item) => item !== '');
  if (is === 'words') return items;
  const numbers = (items ?? [text]).map(Number);
  if (text === '' || numbers.some((number) => !Number.isSafeInteger(number))) return undefined;
  return is === 'refs'
    ? items === undefined
      ? undefined
      : numbers
    : items === undefined
      ? numbers[0]
      : undefined;
}
