/** The one error of reading: one line that names the file, the field, and what was expected there. */
export class CaseError extends Error {
  readonly file: string;
  /** Where, such as `commands[3].handle`; empty for the file as a whole. */
  readonly path: string;

  constructor(file: string, path: string, problem: string) {
    super(path === '' ? `${file}: ${problem}` : `${file}: ${path}: ${problem}`);
    this.name = 'CaseError';
    this.file = file;
    this.path = path;
  }
}
