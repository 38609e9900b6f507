/** The first thing that a schema found wrong, as one line. */
import type * as z from 'zod';
import { CaseError } from './error.ts';

type Path = readonly PropertyKey[];

const SHOWN_MAX = 40;

/** The first issue, with the place it is at and the value that was there. */
export function errorOf(file: string, value: unknown, issues: readonly z.core.$ZodIssue[]): CaseError {
  const [issue] = issues;
  if (issue === undefined) return new CaseError(file, '', 'cannot be read');
  if (issue.code === 'unrecognized_keys')
    return new CaseError(file, pathText([...issue.path, issue.keys[0] ?? '']), issue.message);
  const got = valueAt(value, issue.path);
  return new CaseError(file, pathText(issue.path), problemOf(issue.message, got));
}

function problemOf(expected: string, got: unknown): string {
  if (typeof got === 'number' && Math.abs(got) > Number.MAX_SAFE_INTEGER)
    return 'beyond 2^53 - 1 a number cannot be exact in JSON: write it as "0x…"';
  return `expected ${expected}, got ${show(got)}`;
}

/** `commands[3].at.in`, as it would be written in JavaScript. */
function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = clean(String(key));
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Record<PropertyKey, unknown>)[key];
  }, value);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return clean(JSON.stringify(value) ?? String(value));
}

/** One line of bounded length, without what would steer a terminal. */
function clean(text: string): string {
  const line = text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
  return line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line;
}
