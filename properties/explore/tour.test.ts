import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { infect, ZOO } from '../../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { runScript } from '../drive.ts';
import { Stepper } from '../stepper.ts';
import { DETAILS, type Detail } from './abstraction.ts';
import { explore } from './explore.ts';
import type { Scope } from './scope.ts';
import { type Tested, testsOf } from './tour.ts';

const LENGTH = 40;

const scopeNamed = (name: string): Scope => SPEC.scopes[name] ?? expect.fail(`there is no ${name}`);
const tested = (name: string, detail: Detail, length = LENGTH): Tested =>
  testsOf(SPEC, builtin(), scopeNamed(name), { detail, length });

const commandsOf = ({ scripts }: Tested): number =>
  scripts.reduce((sum, { commands }) => sum + commands.length, 0);

describe('tests from the graph of a scope', () => {
  for (const [name, detail, abstractStates, transitions] of [
    ['pages', 'counts', 9, 36],
    ['pages', 'columns', 26, 103],
    ['pages', 'states', 26, 129],
    ['devices', 'counts', 7, 38],
    ['devices', 'states', 53, 382],
  ] as const) {
    it(`cover the ${transitions} transitions of ${name} by ${detail}`, () => {
      const made = tested(name, detail);
      expect(made).to.include({ abstractStates, transitions, covered: transitions });
      for (const { commands } of made.scripts) expect(commands.length).to.be.within(1, LENGTH);
      expect(commandsOf(made), 'cheaper than a script for each').to.be.below(made.alone);
    });
  }

  /** What blocks there are, by order, is all that a state of this scope is; here it is kept by hand. */
  it('cover what somebody who knows no specification counts', () => {
    const seen = new Set<string>();
    for (const { commands } of tested('pages', 'counts').scripts) {
      const target = builtin();
      const heard = {
        ...target,
        boot: (machine: Parameters<typeof target.boot>[0]) => target.boot(machine),
        observe: (view: Parameters<typeof target.observe>[0]) => target.observe(view),
        apply: (call: Parameters<typeof target.apply>[0]) => {
          const reply = target.apply(call);
          const outcome = 'errno' in reply ? reply.errno : 'ok';
          seen.add(`${blocks} ${call.op} ${String(call.args['order'] ?? '')} ${outcome}`);
          if (outcome === 'ok') blocks += call.op === 'alloc_pages' ? 1 : -1;
          return reply;
        },
      };
      let blocks = 0;
      const script = { format: 1, machine: scopeNamed('pages').machine, commands };
      expect(runScript(new Stepper(SPEC, heard), heard, script)).to.equal(undefined);
    }
    const wanted = [0, 1, 2, 3, 4].flatMap((blocks) => {
      const fits = [blocks < 4, blocks < 3, blocks === 0];
      const fails = [blocks > 2, blocks > 0, blocks > 0];
      // One block may be of any order; three leave one page, or none.
      const allocs = [0, 1, 2].flatMap((order) => [
        ...(fits[order] === true ? [`${blocks} alloc_pages ${order} ok`] : []),
        ...(fails[order] === true ? [`${blocks} alloc_pages ${order} ENOMEM`] : []),
      ]);
      return blocks > 0 ? [...allocs, `${blocks} free_pages  ok`] : allocs;
    });
    expect([...seen].sort()).to.include.members(wanted);
  });

  it('are few: a longer limit makes fewer scripts, and none is longer than it', () => {
    const short = tested('devices', 'states', 10);
    const long = tested('devices', 'states', 1000);
    expect(short.scripts.length).to.be.above(30);
    expect(long.scripts).to.have.lengthOf(1);
    expect(commandsOf(long)).to.be.below(commandsOf(short));
    expect(short.covered).to.equal(long.covered);
  });

  it('go further than the limit only where a transition is further away', () => {
    const made = tested('pages', 'counts', 1);
    expect(made.covered).to.equal(36);
    expect(commandsOf(made)).to.be.at.least(36).and.at.most(made.alone);
    expect(Math.max(...made.scripts.map(({ commands }) => commands.length))).to.equal(5);
  });

  it('come from any specification', () => {
    const made = testsOf(
      CLOAKROOM,
      new Cloakroom(),
      { machine: {}, depth: 9, few: 2 },
      { detail: 'states', length: 20 },
    );
    expect(made.transitions).to.be.above(10);
    expect(made.covered).to.equal(made.transitions);
  });

  it('are none where the target is wrong', () => {
    const bug = ZOO.find(({ name }) => name === 'freed-while-bound') ?? expect.fail();
    const { searched, scripts } = testsOf(SPEC, infect(bug), scopeNamed('gpu'), {
      detail: 'counts',
      length: LENGTH,
    });
    expect(searched.found?.finding).to.include({ serves: 'I2' });
    expect(scripts).to.deep.equal([]);
  });

  for (const [name, layers, missed] of [
    ['gpu', ['gpu'], { counts: ['maps-into-the-first-context'], states: [] }],
    ['pages-parked', ['pages'], { counts: ['parks-without-end'], states: [] }],
  ] as const) {
    it(`of ${name} fail on nearly all bugs that a search of the scope finds`, () => {
      const bugs = ZOO.filter((bug) => layers.some((layer) => layer === bug.layer));
      const reach = bugs.filter((bug) => explore(SPEC, infect(bug), scopeNamed(name)).found !== undefined);
      for (const detail of DETAILS.filter((each): each is 'counts' | 'states' => each in missed)) {
        const { scripts } = tested(name, detail);
        const held = reach.filter((bug) => {
          const target = infect(bug);
          const stepper = new Stepper(SPEC, target);
          return scripts.every((script) => runScript(stepper, target, script) === undefined);
        });
        expect(
          held.map((bug) => bug.name),
          detail,
        ).to.deep.equal(missed[detail]);
      }
      expect(reach.length).to.be.above(3);
    }).timeout(20_000);
  }
});
