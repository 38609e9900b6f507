/** What a program may write, checked to the last field: an adapter's slip must not look like a bug behind it. */
import type { Capability, RemoteReply, Value } from '../model/target.ts';
import { shorten } from './line-process.ts';

/** The version of the protocol, in the hello. */
export const PROTOCOL = 1;

/** What a program says of itself in its first line. */
export interface Hello {
  readonly name: string;
  readonly calls: ReadonlySet<string> | undefined;
  readonly capabilities: ReadonlySet<Capability>;
}

/** A line that is not what the protocol wants. The message is a sentence about it. */
export class Misfit extends Error {
  constructor(seen: string, expected: string, advice: string) {
    super(`${seen}; expected ${expected}; ${advice}`);
    this.name = 'Misfit';
  }
}

type Json = Readonly<Record<string, unknown>>;

const CAPABILITIES: Readonly<Record<Capability, true>> = {
  'page-numbers': true,
  faults: true,
  'errno-order': true,
};
const ERRNO = /^[A-Z][A-Z0-9]*$/;
const HELLO = '{"ionclad":1,"name":"…","calls":["…"],"capabilities":[]}';

/** @throws {Misfit} */
export function parseHello(line: string): Hello {
  const hello = parseObject(line, `the hello ${HELLO} as the first line`);
  const { ionclad, name, calls, capabilities } = hello;
  if (ionclad === undefined) throw missingHello(line);
  if (ionclad !== PROTOCOL) {
    const advice = 'bring the adapter to this version, or use the ionclad that it was written for';
    throw new Misfit(`its protocol version is ${show(ionclad)}`, `version ${PROTOCOL}`, advice);
  }
  onlyKeys('hello', hello, ['ionclad', 'name', 'calls', 'capabilities']);
  if (typeof name !== 'string' || name === '') throw wrong('hello.name', name, 'a name for reports');
  if (calls !== undefined && !isStrings(calls)) throw wrong('hello.calls', calls, 'a list of names of calls');
  if (!isStrings(capabilities) || !capabilities.every(isCapability)) {
    throw wrong('hello.capabilities', capabilities, `a list out of ${Object.keys(CAPABILITIES).join(', ')}`);
  }
  return { name, calls: calls && new Set(calls), capabilities: new Set(capabilities) };
}

/** @throws {Misfit} */
export function parseBooted(line: string): void {
  const answer = parseObject(line, '{"ok":true} as the answer to boot');
  if (answer['ok'] === true && Object.keys(answer).length === 1) return;
  throw new Misfit(`it answered ${shorten(line)} to boot`, '{"ok":true}', 'refuse no machine');
}

/** @throws {Misfit} */
export function parseReplies(line: string, count: number): (RemoteReply | 'skipped')[] {
  const { replies } = parseObject(line, '{"replies":[…]} as the answer to a batch');
  if (!Array.isArray(replies)) {
    throw new Misfit(`it answered ${shorten(line)} to a batch`, '{"replies":[…]}', 'put the replies there');
  }
  if (replies.length !== count) {
    const advice = 'give one reply for each call, "skipped" included';
    throw new Misfit(`it gave ${replies.length} replies to a batch of ${count} calls`, `${count}`, advice);
  }
  replies.forEach((reply, index) => {
    checkReply(`replies[${index}]`, reply);
  });
  return replies;
}

function checkReply(path: string, reply: unknown): void {
  if (reply === 'skipped') return;
  if (!isObject(reply)) throw wrong(path, reply, '{"ok":{…}}, {"errno":"…"} or "skipped"');
  const { ok, errno, fired, shown } = reply;
  onlyKeys(path, reply, ['ok', 'errno', 'fired', 'shown']);
  if ((ok === undefined) === (errno === undefined)) throw wrong(path, reply, 'either ok or errno');
  if (ok !== undefined) checkValue(`${path}.ok`, ok);
  if (errno !== undefined && !(typeof errno === 'string' && ERRNO.test(errno))) {
    throw wrong(`${path}.errno`, errno, 'a name in capital letters and digits, such as "ENOMEM"');
  }
  if (fired !== undefined && !isStrings(fired)) throw wrong(`${path}.fired`, fired, 'a list of fault sites');
  if (shown !== undefined) checkShown(`${path}.shown`, shown);
}

function checkValue(path: string, ok: unknown): asserts ok is Value {
  if (!isObject(ok)) throw wrong(path, ok, 'an object, {} where a call has no result');
  for (const [field, value] of Object.entries(ok)) {
    if (isNumber(value) || (Array.isArray(value) && value.every(isNumber))) continue;
    throw wrong(`${path}.${field}`, value, 'a number or a list of numbers');
  }
}

function checkShown(path: string, shown: unknown): void {
  if (!isObject(shown)) throw wrong(path, shown, 'an object of columns by name');
  for (const [name, column] of Object.entries(shown)) {
    if (Array.isArray(column) && column.every(isCell)) continue;
    throw wrong(`${path}.${name}`, column, 'a list of integers of 32 bits');
  }
}

function parseObject(line: string, expected: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  throw new Misfit(`it wrote ${shorten(JSON.stringify(line))}`, expected, WRITE_JSON);
}

const WRITE_JSON = 'write JSON to standard output and everything else to standard error';

const missingHello = (line: string): Misfit =>
  new Misfit(`its first line is ${shorten(line)}`, `the hello ${HELLO}`, 'write it before reading anything');

const wrong = (path: string, value: unknown, expected: string): Misfit =>
  new Misfit(`${path} is ${show(value)}`, expected, 'correct the adapter');

function onlyKeys(path: string, value: Json, known: readonly string[]): void {
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray !== undefined)
    throw new Misfit(`${path} has a field "${stray}"`, known.join(', '), 'leave it out');
}

const show = (value: unknown): string => (value === undefined ? 'missing' : shorten(JSON.stringify(value)));
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isCell = (value: unknown): boolean => isNumber(value) && (value | 0) === value;
const isCapability = (word: string): word is Capability => Object.hasOwn(CAPABILITIES, word);
