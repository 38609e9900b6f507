import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { coverageOf, readCoverage } from './coverage.ts';
import { UsageError } from './exit.ts';

const of = (covered: number, total: number): { covered: number; total: number } => ({ covered, total });
const FULL = { lines: of(10, 10), functions: of(2, 2) };

describe('coverage by folder', () => {
  const folders = (summary: Parameters<typeof coverageOf>[0]): ReturnType<typeof coverageOf> =>
    coverageOf(summary, '/here', (file) => !file.endsWith('types.ts'));

  it('sums up the files of a folder, without those that have no code', () => {
    const [model] = folders({
      total: FULL,
      '/here/model/a.ts': FULL,
      '/here/model/deep/b.ts': { lines: of(5, 10), functions: of(1, 2) },
      '/here/model/types.ts': { lines: of(0, 100), functions: of(0, 1) },
      '/here/modelled/c.ts': { lines: of(0, 100), functions: of(0, 1) },
    });
    const open = ['model/deep/b.ts: lines 5/10', 'model/deep/b.ts: functions 1/2'];
    expect(model).to.deep.equal({ folder: 'model', least: 100, lines: 75, functions: 75, open });
  });

  it('cuts figures and does not round them', () => {
    const [model] = folders({ '/here/model/a.ts': { lines: of(9_999, 10_000), functions: of(0, 0) } });
    expect(model).to.include({ lines: 99.9, functions: 100 });
  });

  it('knows a folder without any file from one that is covered', () => {
    const [, impl] = folders({ '/here/model/a.ts': FULL });
    expect(impl).to.include({ folder: 'impl', lines: undefined, functions: undefined });
  });

  it('is read from the summary of c8, and a module of types counts for nothing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ionclad-coverage-'));
    const file = join(folder, 'summary.json');
    const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
    try {
      const none = { lines: of(0, 9), functions: of(0, 9) };
      writeFileSync(
        file,
        JSON.stringify({ [path('model/target.ts')]: none, [path('model/units.ts')]: FULL }),
      );
      expect(readCoverage(file)[0]).to.include({ folder: 'model', lines: 100, functions: 100 });
      for (const text of ['{', 'null', JSON.stringify({ [path('model/units.ts')]: {} })]) {
        writeFileSync(file, text);
        expect(() => readCoverage(file), text).to.throw(UsageError, 'not a summary of coverage');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(() => readCoverage(file)).to.throw(UsageError, 'there is no such file');
  });
});
