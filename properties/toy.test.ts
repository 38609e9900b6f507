import { expect } from 'chai';
import type { Reply } from '../model/index.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import { runScript } from './drive.ts';
import { explore } from './explore/explore.ts';
import type { Finding } from './finding.ts';
import { Scripts } from './generate.ts';
import type { Command, Script } from './script.ts';
import { type Shrunk, shrink } from './shrink/shrink.ts';
import { Stepper } from './stepper.ts';

const scriptOf = (commands: readonly Command[], machine: Script['machine'] = {}): Script => ({
  format: 1,
  machine,
  commands,
});

const runOn = (target: Cloakroom, script: Script): Finding | undefined =>
  runScript(new Stepper(CLOAKROOM, target), target, script);

/** The first finding of many scripts, made small. */
function hunt(target: Cloakroom): Shrunk {
  const stepper = new Stepper(CLOAKROOM, target);
  const scripts = new Scripts(CLOAKROOM, 1);
  for (let index = 0; index < 200; index++) {
    const script = scripts.at(index);
    const finding = runScript(stepper, target, script);
    if (finding === undefined) continue;
    return shrink(CLOAKROOM, script, finding, (smaller) => runScript(stepper, target, smaller));
  }
  return expect.fail('the defect was not found');
}

describe('another specification', () => {
  it('is run by the same engine', () => {
    const target = new Cloakroom();
    const stepper = new Stepper(CLOAKROOM, target);
    const script = scriptOf([
      { op: 'hang', colour: 1, as: 'mine' },
      { op: 'hang', colour: 2, as: 'yours' },
      { op: 'hang', colour: 1 },
      { op: 'brush', ticket: 'yours' },
      { op: 'fetch', ticket: 'mine' },
    ]);
    expect(runScript(stepper, target, script)).to.equal(undefined);
    expect(stepper.counts.outcomes).to.deep.equal({
      hang: { ok: 2, ENOSPC: 1 },
      brush: { ok: 1 },
      fetch: { ok: 1 },
    });
    expect(stepper.counts.commands, 'with those that give both coats back').to.equal(7);
    expect(Object.keys(stepper.counts.labels)).to.deep.equal(['full']);
  });

  it('agrees with a target that works on 300 scripts, whose faults fire', () => {
    const target = new Cloakroom();
    const stepper = new Stepper(CLOAKROOM, target);
    const scripts = new Scripts(CLOAKROOM, 1);
    for (let index = 0; index < 300; index++)
      expect(runScript(stepper, target, scripts.at(index)), `script ${index}`).to.equal(undefined);
    expect(stepper.counts.outcomes['hang']).to.have.all.keys('ok', 'EINVAL', 'ENOSPC');
    expect(stepper.counts.outcomes['fetch']).to.have.all.keys('ok', 'ENOENT');
  });

  /** Every state allows `colours` ways to hang, and fetching and brushing for every coat; one stale ticket is tried. */
  const transitions = (hooks: number, colours: number): number => {
    const states = (colours + 1) ** hooks;
    const coats = hooks * colours * (colours + 1) ** (hooks - 1);
    return states * colours + (coats + states) + coats;
  };

  for (const [hooks, colours] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [2, 5],
    [4, 3],
  ] as const) {
    it(`has ${(colours + 1) ** hooks} states with ${hooks} hooks and ${colours} colours`, () => {
      const scope = { machine: { hooks, colours }, depth: 100, few: colours };
      expect(explore(CLOAKROOM, new Cloakroom(), scope)).to.include({
        states: (colours + 1) ** hooks,
        transitions: transitions(hooks, colours),
        depth: depthOf(hooks),
        ending: 'complete',
      });
    });
  }

  it('has as many states when the last hook is taken first', () => {
    const machine = { hooks: 3, colours: 2, policies: { order: 'last' } };
    expect(explore(CLOAKROOM, new Cloakroom(), { machine, depth: 100, few: 2 }).states).to.equal(27);
  });

  it('has fewer states with broken hooks', () => {
    const machine = { hooks: 3, colours: 2, occupied: [[1, 1]] as const };
    expect(explore(CLOAKROOM, new Cloakroom(), { machine, depth: 100, few: 2 }).states).to.equal(9);
  });

  it('finds the coat that is hung over another, and shrinks it to the fewest hooks', () => {
    class OverAnother extends Cloakroom {
      override hang(colour: number): Reply {
        if (colour >= 1 && !this.coats.includes(0)) return { ok: { ticket: this.coats.length - 1 } };
        return super.hang(colour);
      }
    }
    const { script, finding } = hunt(new OverAnother());
    expect(finding).to.include({ kind: 'reply', clause: 'refuse ENOSPC', serves: 'P1', layer: 'hall' });
    expect(script.machine).to.deep.equal({ hooks: 1 });
    expect(script.commands.map(({ op, ...rest }) => [op, rest['colour']])).to.deep.equal([
      ['hang', 1],
      ['hang', 1],
    ]);
  });

  it('finds the coat that is brushed away, and shrinks it to two commands', () => {
    class Careless extends Cloakroom {
      override give(op: string, ticket: number): Reply {
        return super.give(op === 'brush' && ticket > 0 ? 'fetch' : op, ticket);
      }
    }
    const { script, finding } = hunt(new Careless());
    expect(finding).to.include({ kind: 'view', clause: 'coat', serves: 'SAME', layer: 'care' });
    expect(script.machine, 'the first ticket is not 0').to.deep.equal({ policies: { order: 'last' } });
    expect(script.commands.map(({ op }) => op)).to.deep.equal(['hang', 'brush']);
  });

  it('finds by search a shortest script, confirmed from boot', () => {
    class Third extends Cloakroom {
      override give(op: string, ticket: number): Reply {
        return op === 'fetch' && ticket === 2 ? { ok: { colour: 9 } } : super.give(op, ticket);
      }
    }
    const { found } = explore(CLOAKROOM, new Third(), {
      machine: { hooks: 3 },
      depth: 100,
      few: 2,
      closes: false,
    });
    expect(found?.script.commands, 'with two coats the ticket that does not exist is 2').to.deep.equal([
      { op: 'hang', colour: 1, as: 'ticket1' },
      { op: 'hang', colour: 1, as: 'ticket2' },
      { op: 'fetch', ticket: 2 },
    ]);
    const finding = runOn(new Third(), found?.script ?? scriptOf([]));
    expect(found?.finding).to.deep.equal({ ...finding, allowed: 'ENOENT' });
  });
});

/** All coats are hung, the last hooks stay taken while the first are cleared: at most 2 * hooks - 1 calls. */
const depthOf = (hooks: number): number => 2 * hooks - 1;
