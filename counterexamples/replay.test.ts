import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { record } from '../cli/main.ts';
import { ZOO } from '../targets/zoo/index.ts';
import { type Case, readCase, writeCase } from './index.ts';

/** The folder with the sources: the compiled files lie elsewhere, the cases are only there. */
const FOLDER = new URL('../../counterexamples/', import.meta.url);

interface Report {
  readonly results: readonly { readonly target: string; readonly value?: string; readonly result: string }[];
}

/** What each target, or for a verdict each value of the policy, does today. */
async function replay(
  file: string,
  { property, expect: expected = {} }: Case,
): Promise<Record<string, string>> {
  const path = fileURLToPath(new URL(file, FOLDER));
  const targets =
    property.name === 'verdict' ? [[]] : Object.keys(expected).map((name) => ['--target', name]);
  const seen: Record<string, string> = {};
  for (const target of targets) {
    const { out } = await record(['replay', path, '--json', ...target]);
    for (const each of (JSON.parse(out) as Report).results) seen[each.value ?? each.target] = each.result;
  }
  return seen;
}

describe('saved cases', () => {
  for (const file of readdirSync(FOLDER, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.case.json'),
  )) {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    const read = readCase(text, file);

    it(`${file}: ${read.title}`, async () => {
      const found = Object.entries(read.expect ?? {}).map(([name, what]) => [
        name,
        what === 'broken' ? 'found' : what,
      ]);
      expect(found, 'say what is expected of which target').not.to.deep.equal([]);
      expect(await replay(file, read)).to.deep.equal(Object.fromEntries(found));
    });

    it(`${file} is written as it would be written today`, () => {
      expect(text).to.equal(writeCase(read));
    });
  }
});

/** Commands that the shortest case of a bug has at most. */
const COMMANDS_MAX = 10;

describe('the shortest known case of each bug of the zoo', () => {
  it('is kept for each, and for nothing else', () => {
    const files = readdirSync(new URL('zoo/', FOLDER)).sort();
    const expected = ZOO.map(({ name }) => `${name}.case.json`).sort();
    expect(files, 'npm run zoo makes what is missing; delete what no bug needs').to.deep.equal(expected);
  });

  for (const { name, catches } of ZOO) {
    it(`${name} shows ${catches} in at most ${COMMANDS_MAX} commands`, () => {
      const file = `zoo/${name}.case.json`;
      const kept = readCase(readFileSync(new URL(file, FOLDER), 'utf8'), file);
      expect(kept.expect).to.deep.equal({ [`zoo/${name}`]: 'broken', builtin: 'holds' });
      expect(kept.finding?.serves).to.equal(catches);
      expect(kept.script.commands).to.have.length.within(1, COMMANDS_MAX);
    });
  }
});
