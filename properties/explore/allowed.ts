/** The replies that would have been right, in words: `pfn 0, 4 or 6; or ENOMEM`. */
import type { Value } from '../../model/index.ts';
import { showReply } from '../finding.ts';
import { type Question, repliesTo, type Space } from './replies.ts';

/** Of many values the first ones say enough. */
const TOLD_MAX = 4;
/** Numbers in a row that are told by their ends. */
const RUN_MIN = 3;

/** @param given - the value that was replied, if it was one */
export function allowedText<S>(asked: Question<S>, space: Space, given?: Value): string {
  const { values, errnos, isCut, isRefused } = repliesTo(asked, space);
  const isListed = values.length > 0 && !isCut;
  const value = isListed
    ? valuesText(asked, values)
    : (otherFieldText(asked, space, given) ?? rowsText(asked));
  const parts = [isRefused ? '' : value, oneOf(errnos.map(({ errno }) => errno))];
  return parts.filter((part) => part !== '').join('; or ');
}

/** What one field must be, if it alone is wrong. */
function otherFieldText<S>(asked: Question<S>, space: Space, given: Value = {}): string | undefined {
  for (const field of Object.keys(given)) {
    if (field in asked.fixed) continue;
    const { [field]: _, ...others } = { ...given, ...asked.fixed };
    const known = { ...asked, fixed: others };
    const { values, isCut } = repliesTo(known, space);
    if (values.length > 0 && !isCut) return `${valuesText(known, values)}, and the rest as replied`;
  }
  return undefined;
}

/** Where there are too many to list, what makes them right. */
function rowsText<S>({ rule, terms }: Question<S>): string {
  const judged = rule.accept.filter(([, , , needs]) => needs === undefined || terms.pageNumbers);
  return `a value as follows: ${judged.map(([name]) => name).join('; ')}`;
}

/** Field by field where any goes with any, else value by value. */
function valuesText<S>({ shape: { gives }, fixed }: Question<S>, values: readonly Value[]): string {
  const fields = Object.keys(gives?.fields ?? {}).filter((field) => !(field in fixed));
  if (fields.length === 0) return 'success';
  const different = fields.map((field) => differentIn(values, field));
  const combinations = different.reduce((product, { length }) => product * length, 1);
  if (combinations === values.length)
    return fields.map((field, at) => `${field} ${oneOf(runs(different[at] ?? []))}`).join(', ');
  return oneOf(values.map((ok) => `(${showReply({ ok })})`));
}

const differentIn = (values: readonly Value[], field: string): readonly Value[string][] => {
  const byText = new Map(values.map((value) => [String(value[field]), value[field] ?? 0]));
  return [...byText.values()];
};

/** Numbers with what follows them at the same distance as one text, lists each as its own. */
function runs(values: readonly Value[string][]): string[] {
  const texts: string[] = [];
  for (let at = 0; at < values.length; ) {
    const [first, second] = [values[at], values[at + 1]];
    const step = Number(second) - Number(first);
    let end = at + 1;
    while (typeof first === 'number' && Number(values[end]) - Number(values[end - 1]) === step) end++;
    const length = end - at;
    if (length < RUN_MIN) {
      texts.push(typeof first === 'number' ? String(first) : `[${first?.join(' ')}]`);
      at++;
      continue;
    }
    texts.push(`${first} to ${values[end - 1]}${step === 1 ? '' : ` by ${step}`}`);
    at = end;
  }
  return texts;
}

function oneOf(texts: readonly string[]): string {
  const more = texts.length - TOLD_MAX;
  const told = more > 1 ? [...texts.slice(0, TOLD_MAX), `${more} more`] : texts;
  const [last = ''] = told.slice(-1);
  return told.length < 2 ? last : `${told.slice(0, -1).join(', ')} or ${last}`;
}
