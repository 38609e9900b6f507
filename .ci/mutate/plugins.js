// What Stryker is told about our sources: which mutants are only words, and which are of the part that is asked for.
import { createHash } from 'node:crypto';
import { relative, sep } from 'node:path';

/** The text of an exception is for people: no test should pin it. */
class Words {
  shouldIgnore(path) {
    const isWords = path.isNewExpression() && path.get('callee').isIdentifier({ name: 'Error' });
    return isWords ? 'words of an exception' : undefined;
  }
}

/** A number from 0 up to, but not including, 1: the same on every machine, and as good as random. */
function draw({ fileName, location: { start }, replacement }) {
  const file = relative(process.cwd(), fileName).split(sep).join('/');
  const text = [file, start.line, start.column, replacement].join('\n');
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/** Lets through one of so many parts of the mutants, each a random sample. Named `k/n` in the environment. */
class Part {
  part = (process.env.IONCLAD_MUTANTS ?? '1/1').split('/').map(Number);

  async init() {}

  async check(mutants) {
    const [part, parts] = this.part;
    const result = (mutant) =>
      Math.floor(draw(mutant) * parts) === part - 1
        ? { status: 'passed' }
        : { status: 'compileError', reason: 'of another part' };
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, result(mutant)]));
  }

  /** All at once: a group of one costs a message each. */
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }
}

export const strykerPlugins = [
  { kind: 'Ignore', name: 'words', injectableClass: Words },
  { kind: 'Checker', name: 'part', injectableClass: Part },
];
