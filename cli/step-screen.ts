/** Stepping at a terminal: one screen, drawn anew after each key. */
import { on } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { unlessAborted } from './abort.ts';
import type { Input, Output, Screen, Session } from './session.ts';
import { callLines } from './step-calls.ts';
import type { Stepping } from './step-commands.ts';

/** A key, as far as Node tells of it. */
interface Key {
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** Another screen, which leaves alone what stood on the terminal; and back. */
const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?1049l';
const CLEAR = '\x1b[H\x1b[2J';

/** Lines of the path around the place where one stands. */
const PATH_LINES = 7;
const CALL_LINES_LEAST = 5;

/** What was typed so far, and what the last thing typed answered. */
interface Typed {
  readonly text: string;
  readonly answer: readonly string[];
}

/** Steps until somebody quits. The path stays on the terminal. */
export async function atTerminal(
  stepping: Stepping,
  title: string,
  input: Input,
  screen: Screen,
  { io, signal }: Session,
): Promise<void> {
  const keys = on(input, 'keypress', { close: ['end', 'close'] });
  emitKeypressEvents(input);
  input.setRawMode?.(true);
  screen.write(ENTER);
  try {
    let typed: Typed | undefined = { text: '', answer: ['? shows what can be typed'] };
    while (typed !== undefined) {
      const lines: readonly string[] = screenLines(stepping, title, typed, screen, io);
      screen.write(`${CLEAR}${lines.join('\r\n')}`);
      const next = await unlessAborted(signal, keys.next());
      typed =
        next === undefined || next.done === true ? undefined : await press(stepping, typed, next.value[1]);
    }
  } finally {
    await keys.return?.();
    input.setRawMode?.(false);
    input.pause();
    screen.write(LEAVE);
  }
  for (const line of [stepping.place, ...stepping.path()]) io.out(line);
}

/** What a key does. Undefined: that was the end. */
async function press(stepping: Stepping, { text, answer }: Typed, key: Key): Promise<Typed | undefined> {
  const { name = '', sequence = '', ctrl = false, meta = false } = key;
  if (ctrl && (name === 'c' || name === 'd')) return undefined;
  if (name === 'return' || name === 'enter') return enter(stepping, text);
  if (name === 'backspace') return { text: text.slice(0, -1), answer };
  if (name === 'escape' || (ctrl && name === 'u')) return { text: '', answer };
  if (text === '' && name === 'right') return enter(stepping, 'n');
  if (text === '' && name === 'left') return enter(stepping, 'b');
  const isText = !ctrl && !meta && sequence.length === 1 && sequence >= ' ';
  return isText ? { text: text + sequence, answer } : { text, answer };
}

async function enter(stepping: Stepping, text: string): Promise<Typed | undefined> {
  const answer = await stepping.type(text);
  return answer === undefined ? undefined : { text: '', answer };
}

/** The screen from its first line to the one that is typed in; never more lines than it has. */
export function screenLines(
  stepping: Stepping,
  title: string,
  { text, answer }: Typed,
  { rows, columns }: Pick<Screen, 'rows' | 'columns'>,
  { style }: Pick<Output, 'style'>,
): string[] {
  const room = Math.max(rows - 1, 1);
  const part = Math.max(Math.floor(room / 4), 2);
  const upper = [title, stepping.place, '', ...around(stepping), '', ...cut(stepping.walk.state(), part), ''];
  const middle = [...cut(answer, Math.max(room - upper.length - CALL_LINES_LEAST - 1, 2)), ''];
  const left = Math.max(room - upper.length - middle.length, 0);
  const lower = cut(
    callLines(stepping.calls, isWords(text) ? text.split(' ').filter(Boolean) : [], left),
    left,
  );
  const lines = [...upper, ...middle, ...lower].slice(0, room).map((line) => line.slice(0, columns - 1));
  const styled = lines.map((line, at) => styleOf(style, line, at));
  return [...styled, `> ${text}`.slice(0, columns - 1)];
}

/** Words narrow the list of calls while they are typed; one letter is a command still. */
const isWords = (text: string): boolean => text.length > 1 && text[1] !== ' ';

function styleOf(style: Output['style'], line: string, at: number): string {
  if (at === 0) return style('bold', line);
  if (line.startsWith('      ! ')) return style('red', line);
  return line.startsWith('>') ? style('green', line) : line;
}

/** The path around the place where one stands. */
function around(stepping: Stepping): string[] {
  const path = stepping.path();
  const first = Math.max(Math.min(stepping.walk.at - 3, path.length - PATH_LINES), 0);
  return path.slice(first, first + PATH_LINES);
}

function cut(lines: readonly string[], most: number): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most - 1), `… and ${lines.length - most + 1} more lines`];
}
