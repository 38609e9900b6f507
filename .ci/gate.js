// The coverage gate by folder, over coverage/coverage-summary.json. c8 itself knows only global and per-file
// thresholds, and is content with a folder that has no file at all.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The least percentage of lines and of functions, by folder. */
const GATES = { model: 100, impl: 100, properties: 95, targets: 90, counterexamples: 90, cli: 80 };
const METRICS = ['lines', 'functions'];

const root = fileURLToPath(new URL('..', import.meta.url));
const summary = JSON.parse(readFileSync(join(root, 'coverage/coverage-summary.json'), 'utf8'));

/** A module of types only compiles to an empty one. It can never be "covered", so it does not count. */
function hasCode(file) {
  const compiled = join(root, 'dist', file.replace(/\.ts$/, '.js'));
  const code = readFileSync(compiled, 'utf8').replace(/^export \{\};$|^\/\/#.*$/gm, '');
  return code.replace(/\/\*[\s\S]*?\*\//g, '').trim() !== '';
}

function filesOf(folder) {
  return Object.entries(summary)
    .map(([path, figures]) => ({ file: relative(root, path).split(sep).join('/'), figures }))
    .filter(({ file }) => file.startsWith(`${folder}/`) && hasCode(file));
}

/** Cut, not rounded: 99.99 must not print as 100.0. */
function percent(covered, total) {
  return total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10;
}

function measure(folder, metric) {
  const files = filesOf(folder);
  const sum = (key) => files.reduce((total, { figures }) => total + figures[metric][key], 0);
  return { files, covered: sum('covered'), total: sum('total') };
}

function incomplete(files, metric) {
  return files
    .filter(({ figures }) => figures[metric].covered < figures[metric].total)
    .map(({ file, figures }) => `    ${file} ${figures[metric].covered}/${figures[metric].total}`);
}

let missed = 0;
for (const [folder, least] of Object.entries(GATES)) {
  for (const metric of METRICS) {
    const { files, covered, total } = measure(folder, metric);
    const held = files.length > 0 && covered * 100 >= total * least;
    const figure =
      files.length === 0 ? 'no file' : `${percent(covered, total).toFixed(1)} % (${covered}/${total})`;
    const verdict = held ? 'ok' : 'MISSED';
    console.log(`${folder.padEnd(16)}${metric.padEnd(11)}${figure.padEnd(22)}min ${least} %  ${verdict}`);
    if (held) continue;
    missed += 1;
    for (const line of incomplete(files, metric)) console.log(line);
  }
}
process.exitCode = missed === 0 ? 0 : 5;
