/** Whether an argument has the form that the table of calls asks for. Files are checked by their schema as well. */
import type { ArgShape } from '../model/index.ts';
import { type Argument, isLiteral, type Place } from './script.ts';

/** What is expected instead, in words, or undefined: the form is right. */
export function expectedForm(shape: ArgShape, value: Argument): string | undefined {
  switch (shape.is) {
    case 'number':
      return isNumber(value) ? undefined : 'a number';
    case 'ref':
      return isNumber(value) || typeof value === 'string'
        ? undefined
        : `the name of a ${shape.of.join(' or ')}`;
    case 'refs':
      return isListOf(value, isString) ? undefined : `a list of names of a ${shape.of.join(' or ')}`;
    case 'address':
      return isNumber(value) || isPlace(value) ? undefined : 'a number or a place';
    case 'word':
      return isString(value) && shape.of.includes(value) ? undefined : `one of ${shape.of.join(', ')}`;
    case 'words':
      return isListOf(value, (item) => isString(item) && shape.of.includes(item))
        ? undefined
        : `a list of ${shape.of.join(', ')}`;
  }
}

/** A result and an offset into it. */
export const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Place>).in === 'string' &&
  Number.isSafeInteger((value as Partial<Place>).offset);

const isString = (value: unknown): value is string => typeof value === 'string';

const isNumber = (value: Argument): boolean =>
  typeof value === 'number' ? Number.isSafeInteger(value) : isString(value) && isLiteral(value);

function isListOf(value: Argument, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}
