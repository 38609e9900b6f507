/** Cases of older formats, brought up to the one that is read today. */
import { FORMAT } from '../properties/index.ts';
import { CaseError } from './error.ts';

/** Step n turns a value of format n into one of format n + 1. Format 1 is the first. */
const STEPS: Readonly<Record<number, (value: object) => object>> = {};

/**
 * A JSON value as an object of the current format; its fields are still unchecked.
 *
 * @throws {CaseError} when it has no format, or a newer one
 */
export function migrate(value: unknown, file: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CaseError(file, '', 'expected a case or a script: an object');
  const format = 'format' in value ? value.format : undefined;
  if (typeof format !== 'number' || !Number.isSafeInteger(format) || format < 1)
    throw new CaseError(file, 'format', `expected a format number, up to ${FORMAT}`);
  if (format > FORMAT)
    throw new CaseError(file, '', `format ${format} is newer than this ionclad, which reads up to ${FORMAT}`);
  let migrated: object = value;
  for (let from = format; from < FORMAT; from++) migrated = STEPS[from]?.(migrated) ?? migrated;
  return migrated;
}
