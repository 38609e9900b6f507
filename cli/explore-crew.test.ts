import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SPEC } from '../model/index.ts';
import { type Explored, explore, type Scope } from '../properties/index.ts';
import { builtin } from '../targets/builtin.ts';
import { bugOf, infect } from '../targets/zoo/index.ts';
import { Crew, type Watched } from './explore-crew.ts';
import { targetName } from './targets.ts';

const named = (name: string): Scope => SPEC.scopes[name] ?? expect.fail(`there is no scope ${name}`);

const NEVER: Watched = { signal: new AbortController().signal, tell: () => {} };

describe('a crew', () => {
  const crews: Crew[] = [];
  afterEach(async () => {
    for (const crew of crews.splice(0)) await crew.close();
  });

  const explored = (scope: Scope, target = 'builtin', watched = NEVER): Promise<Explored | undefined> => {
    const crew = new Crew(2);
    crews.push(crew);
    return crew.explore({ target: targetName(target, []), scope, premise: undefined }, watched);
  };

  for (const [name, scope, bug] of [
    ['parked pages', { ...named('pages-parked'), machine: { pages: 6, orderMax: 2, parked: 2 } }, undefined],
    ['contexts with a bug', named('gpu'), 'freed-while-bound'],
  ] as const) {
    it(`finds what one thread alone finds: ${name}`, async () => {
      const found = bugOf(`zoo/${bug}`);
      const target = found === undefined ? builtin() : infect(found);
      const alone = explore(SPEC, target, scope);
      expect(alone.states).to.be.above(150);
      expect(alone.found === undefined).to.equal(bug === undefined);
      expect(await explored(scope, target.name)).to.deep.equal(alone);
    }).timeout(20_000);
  }

  it('says what it covered when it is interrupted, between rounds and in one', async () => {
    const controller = new AbortController();
    const tell = (): void => controller.abort();
    const { signal } = controller;
    const result = await explored({ ...named('gpu'), depth: 9 }, 'builtin', { signal, tell });
    expect(result).to.include({ ending: 'interrupted', states: 2, transitions: 15 });
    const later = new AbortController();
    let told: Pick<Explored, 'states'> | undefined;
    const deep = await explored({ ...named('gpu'), depth: 9 }, 'builtin', {
      signal: later.signal,
      tell: (so) => {
        told = so;
        if (so.states > 400) setTimeout(() => later.abort(), 5);
      },
    });
    expect(deep?.ending).to.equal('interrupted');
    expect(deep?.states).to.equal(told?.states);
  }).timeout(20_000);

  it('reports a target that ends the thread it runs in, and one that never answers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ionclad-crew-'));
    const lost = async (body: string, watched = NEVER): Promise<unknown> => {
      const file = join(folder, `${body.length}.mjs`);
      const path = JSON.stringify(join(import.meta.dirname, '../targets/builtin.js'));
      writeFileSync(
        file,
        `import { builtin } from ${path};
         export const target = builtin();
         const apply = target.apply.bind(target);
         let calls = 0;
         target.apply = (call) => { if (++calls > 50) ${body}; return apply(call); };\n`,
      );
      return explored(named('gpu'), `module:${file}`, watched).catch((cause: Error) => cause.message);
    };
    expect(await lost('process.exit(3)')).to.match(/^module:.*: it ended the thread that it ran in/);
    const controller = new AbortController();
    const hung = lost('for (;;) {}', {
      signal: controller.signal,
      tell: () => void setTimeout(() => controller.abort(), 50),
    });
    expect(await hung).to.include({ ending: 'interrupted' });
    rmSync(folder, { recursive: true });
  }).timeout(20_000);
});
