/** What can be typed while stepping, and what it answers. It knows no terminal. */
import { type Call, type Machine, SPEC, type Target } from '../model/index.ts';
import {
  describe,
  explore,
  FORMAT,
  type Scope,
  type Script,
  showCall,
  showReply,
  UnconfirmedError,
} from '../properties/index.ts';
import { saveCase } from './case-files.ts';
import { verdictLine } from './explore-text.ts';
import { commandText, machineText } from './script-text.ts';
import { allowedLines } from './step-allowed.ts';
import { callLines, readCall } from './step-calls.ts';
import type { Taken, Walk } from './step-walk.ts';
import { many, wrapped } from './table.ts';
import { firedText } from './trace.ts';

export const HELP: readonly string[] = [
  '  n [COUNT]     on along what is ahead; an empty line too, and the right arrow',
  '  b [COUNT]     back; the left arrow too',
  '  g STEP        to a step, by its number',
  '  f             on to the first finding along what is ahead',
  '  e             explore the scope for the shortest script that shows a finding, and go along it',
  '  NUMBER        make the call with this number; what was ahead stays ahead',
  '  CALL(…)       make this call, with any values: alloc_pages(order 2)',
  '  a NUMBER      what the specification allows this call to answer; also a CALL(…)',
  '  c [WORDS]     the calls that can be made, by layer; with words, those that contain them; other words too',
  '  s             the state: what is not as at boot',
  '  p             the path: what was made, and what is ahead',
  '  x             forget what is ahead',
  '  w FILE        write what was made as a script',
  '  q             quit; Ctrl-C and Ctrl-D too',
];

/** A command that can be typed: its answer, or undefined: the end. */
type Act = (argument: string) => Promise<readonly string[] | undefined> | readonly string[] | undefined;

const WIDTH = 90;

const BROKEN = 'the target disagreed with the specification; what follows means nothing: go back';
const OVERLAPPING = 'calls overlap here: go along them; the script stays as it is';
const OVER = 'nothing is ahead; make a call, or go back';

export class Stepping {
  readonly walk: Walk;
  readonly #scope: Scope;
  #calls: readonly Call[] | undefined;
  /** The last step that was taken on the way on. */
  #taken: Taken | undefined;
  readonly #acts: Readonly<Record<string, Act>> = {
    n: (argument) => this.#on(countOf(argument)),
    b: (argument) => this.#back(countOf(argument)),
    g: (argument) => this.#to(countOf(argument)),
    f: () => this.#find(),
    e: () => this.#explore(),
    a: (argument) => this.#allowed(argument),
    c: (argument) => callLines(this.calls, wordsOf(argument)),
    s: () => this.walk.state(),
    p: () => this.path(),
    x: () => this.#cut(),
    w: (file) => this.#write(file),
    q: () => undefined,
    '?': () => HELP,
  };

  constructor(walk: Walk, scope: Scope) {
    this.walk = walk;
    this.#scope = scope;
  }

  /** The calls that can be made now. */
  get calls(): readonly Call[] {
    this.#calls ??= this.walk.isOver ? [] : this.walk.moves(this.#scope);
    return this.#calls;
  }

  /** The last step, in lines. */
  get last(): readonly string[] {
    return this.#taken === undefined ? [] : takenLines(this.#taken);
  }

  /** Where one stands, in a line. */
  get place(): string {
    const { walk } = this;
    const where = walk.at === 0 ? 'at boot' : `after step ${walk.at}`;
    const machine = machineText(walk.script.machine);
    return `${walk.target}, ${where}, ${many(walk.ahead, 'command')} ahead; machine: ${machine}`;
  }

  /** What was made and what is ahead; `>` stands where one is. */
  path(): string[] {
    const { walk } = this;
    const { commands } = walk.script;
    const lines = commands.map(
      (command, at) => `${at === walk.next ? '>' : ' '}${numberText(at)}  ${commandText(command)}`,
    );
    return walk.next >= commands.length ? [...lines, '>      then everything is given back'] : lines;
  }

  /** Does what was typed. Undefined: that was the end. */
  async type(line: string): Promise<readonly string[] | undefined> {
    const text = line.trim();
    if (text === '') return this.#on(1);
    if (/^\d+$/.test(text)) return this.#call(this.calls[Number(text) - 1], text);
    const call = readCall(text);
    if (typeof call === 'string') return [call];
    if (call !== undefined) return this.#call(call, text);
    const [, name = '', argument = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
    const act = Object.hasOwn(this.#acts, name) ? this.#acts[name] : undefined;
    return act === undefined ? callLines(this.calls, wordsOf(text)) : act(argument);
  }

  async #on(count: number): Promise<string[]> {
    const lines: string[] = [];
    for (let step = 0; step < count; step++) {
      const taken = await this.walk.forward();
      if (taken === undefined) return [...lines, this.walk.finding === undefined ? OVER : BROKEN];
      lines.push(...this.#note(taken));
      if (taken.finding !== undefined) break;
    }
    return lines;
  }

  async #back(count: number): Promise<string[]> {
    return this.#to(Math.max(this.walk.at - count, 0));
  }

  async #to(at: number): Promise<string[]> {
    this.#calls = undefined;
    this.#taken = undefined;
    // The last step on the way is looked at again.
    await this.walk.goTo(Math.max(at - 1, 0));
    if (at > 0) {
      const taken = this.walk.at < at ? await this.walk.forward() : undefined;
      if (taken !== undefined) this.#note(taken);
    }
    return [this.place];
  }

  #note(taken: Taken): readonly string[] {
    this.#calls = undefined;
    this.#taken = taken;
    return takenLines(taken);
  }

  async #call(call: Call | undefined, text: string): Promise<readonly string[]> {
    if (this.walk.overlaps) return [OVERLAPPING];
    if (this.walk.finding !== undefined) return [BROKEN];
    if (this.walk.at > this.walk.script.commands.length)
      return ['everything is being given back; go back to make calls'];
    if (call === undefined) return [`there is no call ${text}; c lists them`];
    const problem = this.walk.problemOf(call);
    if (problem !== undefined) return [problem];
    const taken = await this.walk.insert(call);
    return taken === undefined ? [] : this.#note(taken);
  }

  #allowed(text: string): readonly string[] {
    const call = /^\d+$/.test(text) ? this.calls[Number(text) - 1] : readCall(text);
    if (typeof call === 'string') return [call];
    if (call === undefined) return [`there is no call "${text}"; c lists them`];
    return [showCall(call), ...allowedLines(this.walk.stepper, call).map((line) => `  ${line}`)];
  }

  async #find(): Promise<readonly string[]> {
    if (this.walk.finding !== undefined) return [BROKEN];
    await this.walk.goTo(Number.POSITIVE_INFINITY);
    this.#calls = undefined;
    if (this.walk.finding === undefined) return ['nothing is found along what was ahead'];
    await this.#to(this.walk.at);
    return this.last;
  }

  async #explore(): Promise<readonly string[]> {
    const { at, local } = this.walk;
    if (local?.undoable === undefined)
      return [`${this.walk.target} cannot go back to an earlier state: no search`];
    const found = this.#searched(local);
    if (typeof found === 'object') {
      await this.walk.take(found);
      return this.#on(Number.POSITIVE_INFINITY);
    }
    // The search went elsewhere with the target.
    await this.walk.restart();
    await this.#to(at);
    return [found];
  }

  /** The shortest script that shows a finding, or what there is to say instead. */
  #searched(target: Target<Machine>): Script | string {
    try {
      const explored = explore(SPEC, target, this.#scope);
      return explored.found?.script ?? verdictLine(this.#scope, explored, undefined);
    } catch (cause) {
      if (cause instanceof UnconfirmedError) return cause.message;
      throw cause;
    }
  }

  async #cut(): Promise<readonly string[]> {
    if (this.walk.overlaps) return [OVERLAPPING];
    await this.walk.cut();
    this.#calls = undefined;
    return [this.place];
  }

  #write(file: string): readonly string[] {
    if (this.walk.overlaps) return [OVERLAPPING];
    if (file === '') return ['w FILE: where to?'];
    const { script, at, finding } = this.walk;
    const made = { ...script, commands: script.commands.slice(0, at) };
    const title = finding === undefined ? 'a path that was stepped' : describe(finding);
    const saved = saveCase(file, { format: FORMAT, title, property: { name: 'lockstep' }, script: made });
    return 'problem' in saved
      ? [saved.problem]
      : [`${many(made.commands.length, 'command')} in ${saved.file}`];
  }
}

const numberText = (at: number): string => String(at + 1).padStart(4);
const wordsOf = (text: string): string[] => text.split(' ').filter((word) => word !== '');
const countOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) : 1);

/** What was asked, what was allowed, what came back, what it changed, and what is wrong with that. */
function takenLines({ at, op, command, call, reply, allowed, changes, ...taken }: Taken): string[] {
  const number = numberText(at);
  const { actor, point, finding } = taken;
  const problem = finding === undefined ? [] : [`      ! ${describe(finding)}`];
  if (op === 'end')
    return [
      `${number}  the end: ${finding === undefined ? 'nothing is left' : 'something is left'}`,
      ...problem,
    ];
  if (call === undefined)
    return [
      `${number}  ${command === undefined ? op : commandText(command)}`,
      '      skipped: a reference has no value, or its caller may not make it',
    ];
  const who = actor === undefined || actor === '' ? '' : `${actor}: `;
  const name = command?.as === undefined ? '' : `${command.as} = `;
  const answer = reply === undefined ? 'nothing' : `${showReply(reply)}${firedText(reply)}`;
  return [
    `${number}  ${who}${name}${showCall(call)}`,
    ...labelled(
      'allowed ',
      allowed.flatMap((line) => wrapped(line, WIDTH)),
    ),
    point === undefined ? `      answered ${answer}` : `      stops at its switch point ${point}`,
    ...labelled('changed ', changes),
    ...problem,
  ];
}

const labelled = (label: string, lines: readonly string[]): string[] =>
  lines.map((line, at) => `      ${at === 0 ? label : '        '} ${line}`);
