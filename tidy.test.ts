import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const LINES_MAX = 400;
const COLUMNS_MAX = 120;
/** Lines of the rules, which a reader holds against the kernel one by one; tables and the language do not count. */
const RULE_LINES_MAX = 2_500;
const TABLES =
  /^model\/(calls(-\w+)?|machine|view|world|invariants|labels|premises|scopes(-\w+)?|symmetry|index)\.ts$/;
const LANGUAGE = /^model\/(column|judge|spec|target)\.ts$/;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|prop))?\.tsx?$/;
const GENERATED = ['.git', 'node_modules', 'dist', 'coverage'];
const TEXT = /\.(tsx?|js|md|json|yml|c|h|py|sh|html|css)$|(^|\/)(run|\.npmrc|\.gitignore)$/;

/** Where the package is entered: what is reachable from none of these, and is no test or bench, is dead. */
const ENTRIES = [
  'properties/index.ts',
  'model/index.ts',
  'model/target.ts',
  'targets/zoo/index.ts',
  'cli/main.ts',
  'web/main.tsx',
];

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Folders where the words are allowed; tests, unless `inTests`, may use them too. */
  readonly except?: readonly string[];
  readonly inTests?: true;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bMath\.random\(/,
    instead: 'a seeded generator, so that the run can be repeated',
    inTests: true,
  },
  {
    pattern: /\b(Date|performance)\.now\(|\bnew Date\(\)/,
    instead: 'a clock that is passed in',
    except: ['bench', 'cli'],
  },
  { pattern: /: any\b(?=[;,)=\s[\]])|\bas any\b|<any>/, instead: 'unknown, and a check', inTests: true },
  { pattern: /[\w\])]!\.|[\w\])]!\[/, instead: 'a check that narrows the type', inTests: true },
  { pattern: /\b(FIXME|XXX)\b/, instead: 'an issue number', inTests: true },
  { pattern: /^export default\b/m, instead: 'a named export', inTests: true },
  { pattern: /\b(describe|it)\.(only|skip)\(/, instead: 'a test that runs, or none', inTests: true },
  { pattern: /\bstructuredClone\(/, instead: 'a copy of the columns that are meant' },
  { pattern: /\bprocess\.[a-z]/, instead: 'an argument', except: ['cli', 'targets', 'bench'] },
  { pattern: /\bconsole\.[a-z]/, instead: 'the output that is handed in', except: ['cli', 'bench'] },
];

/** Packages that a folder may import; a folder that is not named here may import any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  model: [],
  impl: [],
  properties: ['fast-check'],
  counterexamples: ['zod'],
  traces: [],
  web: ['preact', 'preact/hooks', 'uplot'],
};

/** What only makes sense where somebody works. Put together here so that this file does not match itself. */
const WORKPLACE: readonly RegExp[] = [
  new RegExp(`(^|[\\s'"\`(])/${'wo'}rk/|/${'ro'}ot/|/${'ho'}me/[a-z]`, 'm'),
  new RegExp(`\\.${'lib'}rary\\b|/tmp/${'br'}ief`),
  new RegExp(`\\b(${['KER', 'STY', 'TOOL', 'DES', 'METH', 'PERF', 'ZO'].join('|')})[A-Z]*\\.md\\b`),
  new RegExp(`"${'resol'}ved":|\\b${'regis'}try *=`),
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function walk(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !GENERATED.includes(name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
/** Lines that are neither blank nor a comment. */
const countCode = (file: string): number =>
  read(file)
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/\*|\*|$)/.test(line)).length;
const countLines = (file: string): number => read(file).trimEnd().split('\n').length;
const folderOf = (file: string): string => file.split('/')[0] ?? '';
const isTest = (file: string): boolean => /\.(test|bench)\.ts$/.test(file);

function applies(ban: Ban, file: string): boolean {
  if (isTest(file)) return ban.inTests === true;
  return !(ban.except ?? []).includes(folderOf(file));
}

/** Every quoted path that starts with a dot counts as an import: a worker is named by such a string too. */
function importsOf(file: string): readonly string[] {
  const quoted = read(file).matchAll(/['"](\.{1,2}\/[\w./-]+)\.[jt]s(x?)['"]/g);
  return Array.from(quoted, ([, path, x]) => posix.join(posix.dirname(file), `${path}.ts${x}`));
}

function packagesOf(file: string): readonly string[] {
  const imports = read(file).matchAll(
    /^(?:import|(?:import|export|\}).* from) '([^.'\n][^'\n]*)'|\bimport\('([^.'][^']*)'/gm,
  );
  return Array.from(imports, ([, name, dynamic]) => name ?? dynamic ?? '');
}

function reachable(entries: readonly string[]): ReadonlySet<string> {
  const seen = new Set(entries);
  for (const file of seen) {
    for (const next of importsOf(file)) if (files.includes(next)) seen.add(next);
  }
  return seen;
}

const all = walk('.');
const files = all.filter((file) => /\.tsx?$/.test(file));
const sources = files.filter((file) => !isTest(file) && folderOf(file) !== 'bench');

describe('tidy: every file', () => {
  for (const file of files.filter((name) => name !== 'tidy.test.ts')) {
    it(file, () => {
      const text = read(file);
      expect(posix.basename(file), 'write the name in kebab-case').to.match(KEBAB_CASE);
      expect(countLines(file), 'lines: split the file').to.be.at.most(LINES_MAX);
      expect(Math.max(...text.split('\n').map((line) => line.length)), 'columns').to.be.at.most(COLUMNS_MAX);
      for (const ban of BANS.filter((each) => applies(each, file))) {
        expect(ban.pattern.exec(text)?.[0], `use ${ban.instead}`).to.equal(undefined);
      }
    });
  }
});

describe('tidy: the whole', () => {
  it(`keeps the rules of model/ below ${RULE_LINES_MAX} lines of code`, () => {
    const model = sources.filter((file) => folderOf(file) === 'model');
    const rules = model.filter((file) => !TABLES.test(file) && !LANGUAGE.test(file));
    expect(rules.reduce((sum, file) => sum + countCode(file), 0)).to.be.within(1, RULE_LINES_MAX);
  });

  it('imports only the packages that a folder is allowed', () => {
    const foreign = sources.flatMap((file) => {
      const allowed = PACKAGES[folderOf(file)];
      return allowed === undefined ? [] : packagesOf(file).filter((name) => !allowed.includes(name));
    });
    expect(foreign).to.deep.equal([]);
  });

  it('has no source that nothing reaches', () => {
    const alive = reachable(ENTRIES);
    expect(sources.filter((file) => !alive.has(file))).to.deep.equal([]);
  });

  it('names no place where somebody works', () => {
    const text = all.filter((file) => TEXT.test(file));
    expect(text.filter((file) => WORKPLACE.some((pattern) => pattern.test(read(file))))).to.deep.equal([]);
  });

  it('has an entry in the changelog for its version', () => {
    const { version }: { version: string } = JSON.parse(read('package.json'));
    expect(read('CHANGELOG.md')).to.include(`\n## ${version}`);
  });
});
