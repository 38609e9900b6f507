// What Stryker is told about our sources: which mutants are only words, which are of the part that is asked for, and how
// those are printed that no test fails on.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';

export const DETECTED = ['Killed', 'Timeout'];
export const MISSED = ['Survived', 'NoCoverage'];
const TEXT_MAX = 60;

export const nameOf = ({ fileName }) => relative(process.cwd(), fileName).split(sep).join('/');

/** The text of an exception is for people: no test should pin it. */
class Words {
  shouldIgnore(path) {
    if (path.listKey !== 'arguments' || path.key !== path.container.length - 1) return undefined;
    const callee = path.parentPath.get('callee');
    const isWords = ['Error', 'assert'].some((name) => callee.isIdentifier({ name }));
    return isWords ? 'words of an exception' : undefined;
  }
}

/** A number from 0 up to, but not including, 1: the same on every machine, and as good as random. */
function draw(mutant) {
  const { start } = mutant.location;
  const text = [nameOf(mutant), start.line, start.column, mutant.replacement].join('\n');
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

const short = (text) => text.replace(/\s+/g, ' ').slice(0, TEXT_MAX);

/** The code that a mutant replaces. Lines and columns count from 1. */
function original({ fileName, location: { start, end } }) {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const last = lines[end.line - 1].slice(0, end.column - 1);
  const text = [...lines.slice(start.line - 1, end.line - 1), last].join('\n');
  return text.slice(start.column - 1);
}

/** Prints a mutant as soon as it is known to be missed. */
class Missed {
  onMutantTested(mutant) {
    if (!MISSED.includes(mutant.status)) return;
    const { line, column } = mutant.location.start;
    const change = `${short(original(mutant))}  ->  ${short(mutant.replacement)}`;
    console.log(`${nameOf(mutant)}:${line}:${column}  ${mutant.status}  ${change}`);
  }
}

export const strykerPlugins = [
  { kind: 'Ignore', name: 'words', injectableClass: Words },
  { kind: 'Checker', name: 'part', injectableClass: Part },
  { kind: 'Reporter', name: 'missed', injectableClass: Missed },
];
