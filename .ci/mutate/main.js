// Mutation testing of model/ and impl/. Usage: npm run mutate -- [--part K/N] [--least PERCENT] [FILE...]
// Prints every mutant that no test fails on, and the score by folder. Exit code 5: the score is below PERCENT.
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { DETECTED, MISSED, nameOf } from './plugins.js';

const FOLDERS = ['model', 'impl'];

/** Campaigns and kept cases come first: they meet nearly every line, and end at the first disagreement. */
const TESTS = [
  'seed',
  'targets/campaigns',
  'counterexamples/replay',
  'model/*',
  'impl/*',
  'properties/enumerate',
  'properties/interleave',
];
/** All but what takes longer than the others of a folder together. */
const QUICK = '^(?!.*boots four million pages)';

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
  mochaOptions: { 'no-config': true, spec: TESTS.map((name) => `dist/${name}.test.js`), grep: QUICK },
  buildCommand: 'tsc -p .ci/mutate/tsconfig.json',
  // Stryker would read it by the interface of TypeScript 6, which the compiler no longer has.
  tsconfigFile: 'none',
  coverageAnalysis: 'perTest',
  // What only takes long on a busy machine must not count as detected.
  timeoutFactor: 5,
  // Modules cannot be loaded anew, so a mutant in a table that is built once needs a process of its own.
  ignoreStatic: true,
  tempDirName: 'coverage/mutate',
  ignorePatterns: ['dist', 'coverage'],
  reporters: ['json', 'missed'],
  jsonReporter: { fileName: 'coverage/mutate.json' },
  logLevel: 'error',
};

process.env.IONCLAD_MUTANTS = values.part;
const mutants = await new Stryker(options).runMutationTest();

function score(name, some) {
  const count = (statuses) => some.filter(({ status }) => statuses.includes(status)).length;
  const detected = count(DETECTED);
  const all = detected + count(MISSED);
  const share = all === 0 ? 0 : detected / all;
  const error = 196 * Math.sqrt((share * (1 - share)) / Math.max(1, all));
  const figure = `${(100 * share).toFixed(1)} % +- ${error.toFixed(1)}`;
  console.log(`${name.padEnd(6)} ${detected} of ${all} detected, ${figure}`);
  return 100 * share;
}

const of = (folder) => mutants.filter((mutant) => nameOf(mutant).startsWith(`${folder}/`));
for (const folder of FOLDERS) score(folder, of(folder));
const total = score('both', mutants);
process.exitCode = total < Number(values.least) ? 5 : 0;
