import { expect } from 'chai';
import { type Call, type Machine, type Reply, SPEC, type Suspended } from '../model/index.ts';
import { runScript } from '../properties/drive.ts';
import { machineOf, Scripts, Stepper } from '../properties/index.ts';
import { type Builtin, builtin } from './builtin.ts';

const { points = {} } = builtin().concurrent;

/** The same calls at once on one target, and in steps, with nobody in between, on the other. */
class Twice {
  readonly whole: Builtin = builtin();
  readonly stepped: Builtin = builtin();
  /** Calls that stopped on their way, and how often. */
  readonly stopped = new Map<string, number>();

  constructor() {
    for (const target of [this.whole, this.stepped]) target.undoable.attach();
  }

  boot(machine: Machine): void {
    for (const target of [this.whole, this.stepped]) target.boot(machine);
  }

  apply(call: Call): Reply {
    const { start, resume } = this.stepped.concurrent;
    let answer: Reply | Suspended = start('a', call);
    while ('point' in answer) {
      expect(answer.point, call.op).to.be.within(1, points[call.op] ?? 0);
      this.stopped.set(call.op, (this.stopped.get(call.op) ?? 0) + 1);
      answer = resume('a');
    }
    expect(this.whole.apply(call), JSON.stringify(call)).to.deep.equal(answer);
    expect(this.whole.undoable.fingerprint(), call.op).to.deep.equal(this.stepped.undoable.fingerprint());
    return answer;
  }
}

describe('builtin: calls in steps', () => {
  it('do what they do at once, and reach their switch points', () => {
    const twice = new Twice();
    const { name, capabilities } = twice.whole;
    const target = {
      name,
      capabilities,
      boot: (machine: Machine) => twice.boot(machine),
      apply: (call: Call) => twice.apply(call),
      observe: twice.whole.observe.bind(twice.whole),
    };
    const scripts = new Scripts(SPEC, 5);
    const stepper = new Stepper(SPEC, target);
    for (let index = 0; index < 250; index++)
      expect(runScript(stepper, target, scripts.at(index)), `script ${index}`).to.equal(undefined);
    expect([...twice.stopped.keys()].sort()).to.deep.equal(Object.keys(points).sort());
  }).timeout(30_000);

  it('are not in the state: it goes back under them, and a call that never goes on is forgotten', () => {
    const target = builtin();
    target.undoable.attach();
    const machine = machineOf<Machine, never>(SPEC as never, { pages: 16 });
    target.boot(machine);
    const fresh = target.undoable.fingerprint();
    target.apply({ op: 'ion_client_create', args: {} });
    const { mark, undo, fingerprint } = target.undoable;
    const before = fingerprint();
    const args = { client: 0, bytes: 64, heaps: ['iommu'], flags: 'cached' };
    mark();
    expect(target.concurrent.start('a', { op: 'ion_alloc', args })).to.deep.equal({ point: 1 });
    expect(fingerprint()).to.not.deep.equal(before);
    undo();
    expect(fingerprint()).to.deep.equal(before);
    expect(target.concurrent.start('a', { op: 'ion_alloc', args })).to.deep.equal({ point: 1 });
    target.boot(machine);
    expect(fingerprint()).to.deep.equal(fresh);
    expect(() => target.concurrent.resume('a')).to.throw('a has no call to go on with');
    target.apply({ op: 'ion_client_create', args: {} });
    expect(target.apply({ op: 'ion_alloc', args })).to.deep.equal({ ok: { handle: 1, pages: [1] } });
  });
});
