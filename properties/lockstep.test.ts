import { expect } from 'chai';
import {
  type Machine,
  type Reply,
  type Rule,
  SPEC,
  type Spec,
  type Target,
  type View,
} from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { CLOAKROOM, Cloakroom, type Cloaks, type Room } from './cloakroom.test.ts';
import { runScript } from './drive.ts';
import { type Finding, describe as inWords } from './finding.ts';
import { Scripts } from './generate.ts';
import type { Command, Script } from './script.ts';
import { Stepper } from './stepper.ts';

const HANG: Command = { op: 'hang', colour: 1 };

const scriptOf = (...commands: readonly Command[]): Script => ({
  format: 1,
  machine: { hooks: 3 },
  commands,
});

function findingOf(
  target: Target<Room>,
  script: Script,
  { premise, spec = CLOAKROOM }: { premise?: string; spec?: Spec<Room, Cloaks> } = {},
): Finding | undefined {
  return runScript(new Stepper(spec, target, premise), target, script);
}

describe('lockstep on the built-in target', () => {
  it('holds on 1,000 scripts', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target);
    const scripts = new Scripts(SPEC, 2);
    for (let index = 0; index < 1000; index++) {
      const finding = runScript(stepper, target, scripts.at(index));
      if (finding !== undefined) expect.fail(`script ${index}: ${inWords(finding)}`);
    }
    expect(stepper.counts.scripts).to.equal(1000);
    expect(stepper.counts.commands).to.be.above(30_000);
  }).timeout(20_000);

  it('holds when it shows nothing of its state', () => {
    const inner = builtin();
    const target: Target<Parameters<typeof inner.boot>[0]> = {
      name: 'shy',
      capabilities: inner.capabilities,
      boot: (machine) => inner.boot(machine),
      apply: (call) => inner.apply(call),
      observe: () => {},
    };
    const stepper = new Stepper(SPEC, target);
    const scripts = new Scripts(SPEC, 3);
    for (let index = 0; index < 300; index++) {
      const finding = runScript(stepper, target, scripts.at(index));
      if (finding !== undefined) expect.fail(`script ${index}: ${inWords(finding)}`);
    }
  });

  it('makes only the calls that a target answers', () => {
    const made = new Set<string>();
    class Hangers extends Cloakroom {
      readonly calls: ReadonlySet<string> = new Set(['hang', 'fetch']);
      override give(op: string, ticket: number): Reply {
        made.add(op);
        return super.give(op, ticket);
      }
    }
    const script = scriptOf({ ...HANG, as: 'a' }, { op: 'brush', ticket: 'a' });
    expect(findingOf(new Hangers(), script)).to.equal(undefined);
    expect([...made]).to.deep.equal(['fetch']);
  });

  it('does not make what a duty of the caller forbids, and counts it', () => {
    const target = new Cloakroom();
    const stepper = new Stepper(CLOAKROOM, target);
    expect(runScript(stepper, target, scriptOf({ op: 'brush', ticket: 1 }))).to.equal(undefined);
    expect(stepper.counts).to.include({ commands: 0, skippedDuty: 1, skippedMissing: 0 });
  });
});

describe('a finding', () => {
  it('is of kind crash when the target throws, whatever it throws', () => {
    for (const thrown of [new Error('the rail broke'), 'the rail broke']) {
      class Broken extends Cloakroom {
        override hang(): Reply {
          throw thrown;
        }
      }
      expect(findingOf(new Broken(), scriptOf(HANG))).to.deep.equal({
        kind: 'crash',
        command: 0,
        call: { op: 'hang', args: { colour: 1 } },
        serves: 'P1',
        clause: 'crash',
        layer: 'hall',
        detail: 'the rail broke',
      });
    }
  });

  it('is of kind crash when the target cannot boot, or cannot show itself', () => {
    class Unbootable extends Cloakroom {
      override boot(): void {
        throw new Error('no power');
      }
    }
    class Hidden extends Cloakroom {
      lights = 0;
      override observe(view: View): void {
        if (this.lights-- === 0) throw new Error('no light');
        super.observe(view);
      }
    }
    const boot = { kind: 'crash', command: -1, layer: '' };
    expect(findingOf(new Unbootable(), scriptOf(HANG))).to.include({ ...boot, detail: 'no power' });
    expect(findingOf(new Hidden(), scriptOf(HANG))).to.include({ ...boot, detail: 'no light' });
    const later = new Hidden();
    later.lights = 2;
    expect(findingOf(later, scriptOf(HANG, HANG))).to.include({
      kind: 'crash',
      detail: 'no light',
      command: 1,
    });
  });

  it('is of kind reply when a rule does not allow the answer', () => {
    class Full extends Cloakroom {
      override hang(): Reply {
        return { errno: 'ENOSPC' };
      }
    }
    expect(findingOf(new Full(), scriptOf(HANG))).to.include({
      kind: 'reply',
      serves: 'ROOM',
      clause: 'no ENOSPC',
      detail: 'replied ENOSPC, expected success',
    });
  });

  it('is of kind invariant when the target shows something impossible', () => {
    class Miscounting extends Cloakroom {
      override observe(view: View): void {
        super.observe(view);
        view.columns[1]?.fill(7);
      }
    }
    expect(findingOf(new Miscounting(), scriptOf(HANG))).to.include({
      kind: 'invariant',
      serves: 'COUNT',
      clause: 'state',
      detail: '7 coats are counted, 1 are there',
    });
  });

  it('is of kind invariant when a step breaks one, the first step too', () => {
    class Panicking extends Cloakroom {
      override give(op: string, ticket: number): Reply {
        const reply = super.give(op, ticket);
        if ('errno' in reply) this.coats.fill(0);
        return reply;
      }
    }
    const script = scriptOf({ ...HANG, as: 'a' }, { op: 'fetch', ticket: 2 });
    expect(findingOf(new Panicking(), script)).to.include({ serves: 'CALM', clause: 'step', command: 1 });
    class Alarming extends Cloakroom {
      override give(): Reply {
        this.coats[0] = 1;
        return { errno: 'ENOENT' };
      }
    }
    const first = scriptOf({ op: 'fetch', ticket: 2 });
    expect(findingOf(new Alarming(), first)).to.include({ serves: 'CALM', clause: 'step', command: 0 });
  });

  it('is of kind view when what the target shows is possible but not so', () => {
    class Moving extends Cloakroom {
      override observe(view: View): void {
        this.coats.reverse();
        super.observe(view);
      }
    }
    expect(findingOf(new Moving(), scriptOf(HANG))).to.include({
      kind: 'view',
      serves: 'SAME',
      clause: 'coat',
      detail: 'coat[0] is 0, the specification says 1',
    });
  });

  it('is made at the end when not everything was given back', () => {
    class Glued extends Cloakroom {
      override observe(view: View): void {
        super.observe(view);
        view.columns[1]?.fill(1);
        view.columns[0]?.fill(0, 1).fill(1, 0, 1);
      }
    }
    const spec = { ...CLOAKROOM, view: CLOAKROOM.view.map((column) => ({ ...column, own: false })) };
    expect(findingOf(new Glued(), scriptOf({ ...HANG, as: 'a' }), { spec })).to.include({
      kind: 'invariant',
      serves: 'EMPTY',
      clause: 'end',
      command: 1,
    });
  });

  it('is of kind specification when the specification breaks its own invariant', () => {
    const hang = CLOAKROOM.rules['hang'] as Rule<Cloaks, never, never>;
    const wrong = { ...hang, effect: ({ coat }: Cloaks) => coat.set(0, 99) };
    const spec = { ...CLOAKROOM, rules: { ...CLOAKROOM.rules, hang: wrong } } as unknown as typeof CLOAKROOM;
    const finding = findingOf(new Cloakroom(), scriptOf(HANG), { spec });
    expect(finding).to.include({ kind: 'specification', serves: 'KNOWN', clause: 'state' });
    expect(finding && inWords(finding)).to.include('the specification breaks its own KNOWN');
  });

  it('carries the premise only where it holds', () => {
    class Full extends Cloakroom {
      override hang(colour: number): Reply {
        return colour === 2 ? { errno: 'ENOSPC' } : super.hang(colour);
      }
    }
    const last = { op: 'hang', colour: 2 };
    const crowded = scriptOf(HANG, HANG, last);
    expect(findingOf(new Full(), crowded, { premise: 'crowded' })).to.include({ premise: 'crowded' });
    expect(findingOf(new Full(), crowded)).to.not.have.property('premise');
    expect(findingOf(new Full(), scriptOf(HANG, last), { premise: 'crowded' })).to.not.have.property(
      'premise',
    );
  });

  it('carries the premise only where it breaks what the premise is about', () => {
    class Careless extends Cloakroom {
      override give(op: string, ticket: number): Reply {
        return super.give(op === 'brush' ? 'fetch' : op, ticket);
      }
    }
    const finding = findingOf(
      new Careless(),
      scriptOf(HANG, { ...HANG, as: 'a' }, HANG, { op: 'brush', ticket: 'a' }),
      { premise: 'crowded' },
    );
    expect(finding, 'of which there were three').to.include({ serves: 'SAME', command: 3 });
    expect(finding).to.not.have.property('premise');
  });
});

describe('a premise that takes a policy for granted', () => {
  const unmap = (invalidation: string): Script => ({
    format: 1,
    machine: { pages: 16, policies: { invalidation } },
    commands: [
      { op: 'iommu_domain_alloc', type: 'dma', as: 'd' },
      { op: 'iommu_attach_device', domain: 'd', device: 0, as: 'a' },
      { op: 'alloc_pages', order: 0, as: 'b' },
      { op: 'sg_alloc_table_from_pages', pages: ['b'], maxSegment: 64, as: 't' },
      { op: 'dma_map_sg', device: 'a', table: 't', direction: 'bidirectional', as: 'm' },
      { op: 'device_read', through: 'a', at: { in: 'm', offset: 0 }, bytes: 16 },
      { op: 'dma_unmap_sg', mapping: 'm' },
    ],
  });
  const builtinOn = (script: Script, premise?: string): Finding | undefined => {
    const target = builtin();
    return runScript(new Stepper(SPEC, target, premise), target, script);
  };

  it('holds the code under test to it, whatever machine that runs on', () => {
    expect(builtinOn(unmap('lazy'), 'strict')).to.include({ serves: 'I1', premise: 'strict', command: 6 });
    expect(builtinOn(unmap('strict'), 'strict')).to.equal(undefined);
  });

  it('is asked for by name: without it, the machine’s own policy counts', () => {
    expect(builtinOn(unmap('lazy'))).to.equal(undefined);
    expect(builtinOn(unmap('lazy'), 'T1'), 'which takes nothing for granted').to.equal(undefined);
  });

  it('leaves the machine as it is', () => {
    const booted: unknown[] = [];
    const inner = builtin();
    const target: Target<Machine> = {
      name: 'noting',
      capabilities: inner.capabilities,
      boot(machine) {
        booted.push(machine.policies['invalidation']);
        inner.boot(machine);
      },
      apply: (call) => inner.apply(call),
      observe: (view) => inner.observe(view),
    };
    const script = unmap('lazy');
    runScript(new Stepper(SPEC, target, 'strict'), target, script);
    expect(booted).to.deep.equal(['lazy']);
    expect(script.machine.policies).to.deep.equal({ invalidation: 'lazy' });
  });
});
