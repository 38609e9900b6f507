/**
 * A target in another process failed as a program: it is missing, died, hung, or does not speak the protocol.
 * Whether that is a finding or the end of the run is for the caller to say.
 */
export class TargetError extends Error {
  /** The command line, as in the message. */
  readonly program: string;

  /**
   * @param sentence - what was seen, what was expected, what to do
   * @param lastWords - the end of what the program wrote to its standard error, or nothing
   */
  constructor(program: string, sentence: string, lastWords = '') {
    const trimmed = lastWords.trim();
    super(`${program}: ${sentence}${trimmed === '' ? '' : `\nIts standard error ended with:\n${trimmed}`}`);
    this.name = 'TargetError';
    this.program = program;
  }
}
