// Mutation testing of model/ and impl/. Usage: npm run mutate -- [--part K/N] [--least PERCENT] [FILE...]
// Prints every mutant that survived and the score by folder. Exit code 5: a folder's score is below PERCENT.
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

const FOLDERS = ['model', 'impl'];
const DETECTED = ['Killed', 'Timeout'];
const MISSED = ['Survived', 'NoCoverage'];
const TEXT_MAX = 60;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { part: { type: 'string', default: '1/1' }, least: { type: 'string', default: '0' } },
});
const files = positionals.length > 0 ? positionals : FOLDERS.map((folder) => `${folder}/**/*.ts`);

const options = {
  mutate: [...files, '!**/*.test.ts'],
  plugins: ['@stryker-mutator/mocha-runner', './.ci/mutate/plugins.js'],
  ignorers: ['words'],
  checkers: ['part'],
  testRunner: 'mocha',
  // The campaigns come first: one test that meets nearly every line, and ends at the first disagreement.
  mochaOptions: {
    'no-config': true,
    spec: ['seed', 'targets/campaigns', 'model/*', 'impl/*'].map((name) => `dist/${name}.test.js`),
  },
  buildCommand: 'tsc -p .ci/mutate/tsconfig.json',
  // Stryker would read it by the interface of TypeScript 6, which the compiler no longer has.
  tsconfigFile: 'none',
  coverageAnalysis: 'perTest',
  // Modules cannot be loaded anew, so a mutant in a table that is built once needs a process of its own.
  ignoreStatic: true,
  tempDirName: 'coverage/mutate',
  ignorePatterns: ['dist', 'coverage'],
  reporters: ['json'],
  jsonReporter: { fileName: 'coverage/mutate.json' },
  logLevel: 'error',
};

const nameOf = ({ fileName }) => relative(process.cwd(), fileName).split(sep).join('/');
const short = (text) => text.replace(/\s+/g, ' ').slice(0, TEXT_MAX);

function original({ fileName, location: { start, end } }) {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  const last = lines.length - 1;
  lines[last] = lines[last].slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join('\n');
}

process.env.IONCLAD_MUTANTS = values.part;
const mutants = await new Stryker(options).runMutationTest();

for (const mutant of mutants.filter(({ status }) => MISSED.includes(status))) {
  const { line, column } = mutant.location.start;
  const change = `${short(original(mutant))}  ->  ${short(mutant.replacement)}`;
  console.log(`${nameOf(mutant)}:${line}:${column}  ${mutant.status}  ${change}`);
}

let below = 0;
for (const folder of FOLDERS) {
  const count = (statuses) =>
    mutants.filter((mutant) => nameOf(mutant).startsWith(folder) && statuses.includes(mutant.status)).length;
  const detected = count(DETECTED);
  const all = detected + count(MISSED);
  if (all === 0) continue;
  const score = detected / all;
  const error = 196 * Math.sqrt((score * (1 - score)) / all);
  console.log(`${folder}: ${(100 * score).toFixed(1)} % (+- ${error.toFixed(1)}) of ${all} mutants detected`);
  if (100 * score < Number(values.least)) below += 1;
}
process.exitCode = below === 0 ? 0 : 5;
