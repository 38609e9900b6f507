/** From text to a JSON value, with limits that hold before anything is built: no input may cost more than its size. */
import { CaseError } from './error.ts';

/** Characters of text that are read at most. */
export const TEXT_MAX: number = 64 * 1024 * 1024;
/** Brackets that may be open at once. Recursive readers would overflow their stack on deep input. */
export const DEPTH_MAX = 100;

/**
 * The value of a JSON text.
 *
 * @throws {CaseError} when it is too long, nested too deeply, or not JSON
 */
export function parseJson(text: string, file: string): unknown {
  if (text.length > TEXT_MAX)
    throw new CaseError(file, '', `more than ${TEXT_MAX / 1024 / 1024} MiB of text`);
  if (isTooDeep(text)) throw new CaseError(file, '', `brackets are nested more than ${DEPTH_MAX} deep`);
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown;
  } catch (cause) {
    const reason = (cause as Error).message.replace(/[^\x21-\x7e]+/g, ' ').slice(0, 120);
    throw new CaseError(file, '', `not JSON: ${reason}`);
  }
}

/** Counts open brackets outside strings. In a text that is not JSON the count means nothing, and does no harm. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === '\\') at++;
    else if (!quoted && (character === '[' || character === '{') && ++depth > DEPTH_MAX) return true;
    else if (!quoted && (character === ']' || character === '}')) depth--;
  }
  return false;
}
