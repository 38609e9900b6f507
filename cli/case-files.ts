/** Cases as files. */
import { type Case, readCase, writeCase } from '../counterexamples/index.ts';
import { TEXT_MAX } from '../counterexamples/text.ts';
import { readTextFile } from './read-file.ts';
import { type Saved, saveText } from './save.ts';

/** @throws {UsageError} or CaseError, with one line that names the file */
export const readCaseFile = (file: string): Case => readCase(readTextFile(file, TEXT_MAX), file);

export const saveCase = (file: string, found: Case): Saved => saveText(file, writeCase(found));
