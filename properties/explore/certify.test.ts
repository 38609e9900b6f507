import { expect } from 'chai';
import { type Machine, type Reply, SPEC, type Target } from '../../model/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { bugOf, infect } from '../../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { type Finding, isSameFinding } from '../finding.ts';
import { type PropertyName, trialOf } from '../property.ts';
import type { Argument, Command, Script } from '../script.ts';
import { shortest } from '../shrink/shortest.ts';
import { shrink } from '../shrink/shrink.ts';
import { type Certified, certify, type Shown } from './certify.ts';

const script = (commands: readonly Command[], rest: Partial<Script> = {}): Script => ({
  ...{ format: 1, machine: {}, commands },
  ...rest,
});

const target = (name: string): ReturnType<typeof infect> =>
  infect(bugOf(`zoo/${name}`) ?? expect.fail(`there is no ${name}`));

function withoutWayBack(whole: Target<Machine>): Target<Machine> {
  const { name, capabilities, concurrent } = whole;
  return {
    ...{ name, capabilities, ...(concurrent === undefined ? {} : { concurrent }) },
    boot: (machine) => whole.boot(machine),
    apply: (call) => whole.apply(call),
    observe: (view) => whole.observe(view),
  };
}

/** What a script shows on a target of the zoo. */
function shown(name: string, asked: Script, property: PropertyName = 'lockstep', premise?: string): Shown {
  const on = name === 'builtin' ? builtin() : target(name);
  const finding = trialOf(property, SPEC, on, premise).again(asked) ?? expect.fail(`${name} shows nothing`);
  return { script: asked, finding, property, ...(premise === undefined ? {} : { premise }) };
}

const certified = (name: string, asked: Shown, states?: number): Certified =>
  certify(SPEC, name === 'builtin' ? builtin() : target(name), asked, states);

const CLIENT: Command = { op: 'ion_client_create', as: 'c' };
const CONTEXT: Command = { op: 'gpu_context_create', client: 'c', as: 'x' };
const BUFFER: Command = {
  ...{ op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'uncached', as: 'h' },
};
const BIND: Command = { op: 'gpu_bind', context: 'x', handle: 'h', access: 'both', as: 'b' };
const FREE: Command = { op: 'ion_free', client: 'c', handle: 'h' };

const SHARE: Command = { op: 'ion_share', client: 'c', handle: 'h', as: 'f' };
const DOMAIN: Command = { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'd' };
const ATTACH: Command = { op: 'iommu_attach_device', domain: 'd', device: 0, as: 'a' };

/** A device need not be attached to read what is left in an IOTLB: the last command but one is for nothing. */
const DETOUR = script([
  { op: 'iommu_domain_alloc', type: 'dma', as: 'd' },
  ATTACH,
  { op: 'dma_alloc_coherent', device: 'a', bytes: 64, as: 'm' },
  { op: 'device_read', through: 'a', at: { in: 'm', offset: 0 }, bytes: 16 },
  { op: 'iommu_domain_alloc', type: 'unmanaged', as: 'e' },
  { op: 'iommu_attach_device', domain: 'e', device: 1, as: 'b' },
  { op: 'device_read', through: 'b', at: { in: 'm', offset: 0 }, bytes: 16 },
]);

/** On a machine of one IOMMU context a second client sees what the first one bound. */
const SHARED = script(
  [CLIENT, CONTEXT, BUFFER, { ...CLIENT, as: 'd' }, BIND, { ...CONTEXT, client: 'd', as: 'y' }],
  { machine: { policies: { contexts: 'shared' } } },
);

const FAULT = script([
  { op: 'alloc_pages', order: 0, as: 'p' },
  { op: 'vmap', pages: ['p'], as: 'v', fail: { page: 1 } },
]);

const RACE = script([CLIENT, CONTEXT, BUFFER, BIND, { ...FREE, actor: 'b' }], {
  schedule: [{ in: 'b', point: 1, to: 'b' }],
});

/** What comes of a call for each argument: earlier results of its kinds, small ids, and what the script says. */
function* callsOver(script: Script, before: readonly Command[]): Generator<Command> {
  const ops = new Set(script.commands.map(({ op }) => op));
  for (const op of ops) {
    const { args = {}, gives } = SPEC.calls[op] ?? {};
    const lists = Object.entries(args).map(([name, shape]): [string, readonly Argument[]] => {
      const own = script.commands.filter((command) => command.op === op).map((each) => each[name]);
      const values = own.filter((value) => value !== undefined) as readonly Argument[];
      if (shape.is !== 'ref') return [name, [...new Set(values)]];
      const made = before.filter((each) => shape.of.includes(SPEC.calls[each.op]?.gives?.kind ?? ''));
      const isUsers = shape.of.some((kind) => SPEC.kinds[kind]?.user === true);
      return [name, [...made.map(({ as = '' }) => as), ...(isUsers ? [0, 1, 2] : [])]];
    });
    const as = gives?.kind === undefined ? {} : { as: `r${before.length}` };
    for (const chosen of product(lists)) yield { op, ...chosen, ...as };
  }
}

function product(lists: readonly (readonly [string, readonly Argument[]])[]): Record<string, Argument>[] {
  return lists.reduce<Record<string, Argument>[]>(
    (chosen, [name, values]) => chosen.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  );
}

/** Length of the shortest script that shows the same, of all that are made of the same calls: each is run from boot. */
function bruteForce(name: string, { script: asked, finding }: Shown): number {
  const { again } = trialOf('lockstep', SPEC, target(name));
  let paths: (readonly Command[])[] = [[]];
  for (let length = 1; length <= asked.commands.length; length++) {
    const next: (readonly Command[])[] = [];
    for (const path of paths) {
      for (const command of callsOver(asked, path)) {
        const commands = [...path, command];
        const seen = again({ ...asked, commands });
        if (seen !== undefined && isSameFinding(seen, finding)) return length;
        // What is found while all is given back says nothing of what may come instead.
        if (seen === undefined || seen.command > path.length) next.push(commands);
      }
    }
    paths = next;
  }
  return Number.NaN;
}

/** Loses all coats with the third one. */
class Losing extends Cloakroom {
  override hang(colour: number): Reply {
    const reply = super.hang(colour);
    if (this.coats.every((coat) => coat > 0)) this.coats.fill(0);
    return reply;
  }
}

const coats = (count: number): Command[] =>
  Array.from({ length: count }, (_, at) => ({ op: 'hang', colour: 1, as: `t${at}` }));

/** What a search says of a script on a machine of three hooks. */
function ofCalls(room: Cloakroom, commands: readonly Command[]): Certified {
  const asked = script(commands, { machine: { hooks: 3 } });
  const finding = trialOf('lockstep', CLOAKROOM, room).again(asked) ?? expect.fail('nothing was lost');
  return certify(CLOAKROOM, room, { script: asked, finding, property: 'lockstep' });
}

describe('a certificate', function () {
  this.timeout(10_000);

  for (const [name, states, asked, property, premise] of [
    ['detach-forgotten', 2, script([DOMAIN, ATTACH]), 'lockstep'],
    ['freed-while-bound', 76, script([CLIENT, CONTEXT, BUFFER, BIND, FREE]), 'lockstep'],
    ['late-reference', 484, RACE, 'schedule'],
    ['addresses-stay-without-tables', 2, FAULT, 'fault'],
    ['builtin', 351, SHARED, 'lockstep', 'T1'],
  ] as const) {
    it(`says that the ${asked.commands.length} commands that show ${name} are the fewest`, () => {
      const { certificate } = certified(name, shown(name, asked, property, premise));
      expect(certificate).to.deep.equal({ result: 'proven', states });
    });
  }

  for (const [name, length, commands] of [
    ['detach-forgotten', 2, [DOMAIN, { ...DOMAIN, as: 'e' }, ATTACH]],
    ['dup-without-reference', 3, [CLIENT, BUFFER, { ...BUFFER, as: 'i' }, SHARE]],
    ['dead-client-lives', 1, [CLIENT, { op: 'ion_client_destroy', client: 'c' }]],
  ] as const) {
    it(`is given to the ${length} commands that show ${name}, as brute force finds`, () => {
      const asked = shown(name, script(commands));
      const { again } = trialOf('lockstep', SPEC, target(name));
      const best = shortest(SPEC, target(name), asked, { ...asked, executions: 0 }, again);
      expect(best.certificate?.result).to.equal('proven');
      expect(best.script.commands).to.have.length(length);
      expect(bruteForce(name, asked)).to.equal(length);
    });
  }

  it('is given to a shorter script than shrinking ends with', () => {
    const asked = shown('iotlb-without-tags', DETOUR);
    const { again } = trialOf('lockstep', SPEC, target('iotlb-without-tags'));
    const shrunk = shrink(SPEC, DETOUR, asked.finding, again);
    expect(shrunk.script.commands).to.have.length(7);
    const best = shortest(SPEC, target('iotlb-without-tags'), asked, shrunk, again);
    expect(best.script.commands).to.have.length(6);
    expect(best.finding.serves).to.equal('I1');
    expect(best.certificate).to.deep.equal({ result: 'proven', states: 325 });
    expect(best.executions).to.be.above(shrunk.executions);
  });

  it('prefers a script without interruptions to one of as many commands with one', () => {
    const commands = [CLIENT, CONTEXT, BUFFER, { ...CONTEXT, as: 'y', actor: 'b' }, BIND];
    const asked = script(commands, { schedule: [{ in: 'h', point: 1, to: 'b' }] });
    const { shorter } = certified('one-space-for-all', shown('one-space-for-all', asked, 'schedule'));
    expect(shorter?.script.commands).to.have.length(5);
    expect(shorter?.script).not.to.have.property('schedule');
  });

  it('is not given where the search did not end', () => {
    const asked = shown('freed-while-bound', script([CLIENT, CONTEXT, BUFFER, BIND, FREE]));
    const { certificate } = certified('freed-while-bound', asked, 10);
    expect(certificate).to.include({ result: 'undecided' }).and.not.have.property('reason');
  });

  it('is not given where nothing can be searched', () => {
    const asked = shown('detach-forgotten', script([DOMAIN, ATTACH]));
    const reasonOf = (changed: Partial<Shown>, on: Target<Machine> = target('detach-forgotten')): unknown => {
      const { certificate } = certify(SPEC, on, { ...asked, ...changed });
      return certificate?.result === 'undecided' ? certificate.reason : certificate;
    };
    const flaky: Finding = { ...asked.finding, kind: 'flaky' };
    const hidden = { ...withoutWayBack(builtin()), capabilities: new Set<never>() };
    expect(reasonOf({}, hidden)).to.equal('the target does not show page numbers');
    expect(reasonOf({ property: 'noninterference' })).to.equal('pairs of runs are not searched');
    expect(reasonOf({ finding: flaky })).to.include('not do the same');
    expect(reasonOf({}, builtin())).to.equal('a search does not find the script itself');
  });

  it('is not given to what several calls do during one', () => {
    const actor = 'b';
    const commands = [CLIENT, CONTEXT, BUFFER, BIND, { ...FREE, actor }, { ...BUFFER, as: 'i', actor }];
    const { certificate } = certified(
      'late-reference',
      shown('late-reference', { ...RACE, commands }, 'schedule'),
      100,
    );
    expect(certificate).to.deep.include({ reason: 'more than one call is made during another' });
  });
});

describe('a certificate for a target that cannot go back', () => {
  it('is given where every script of fewer commands shows nothing', () => {
    for (const [name, states, asked, property] of [
      ['dup-without-reference', 15, script([CLIENT, BUFFER, SHARE]), 'lockstep'],
      ['addresses-stay-without-tables', 2, FAULT, 'fault'],
    ] as const) {
      const { certificate } = certify(SPEC, withoutWayBack(target(name)), shown(name, asked, property));
      expect(certificate).to.deep.equal({ result: 'proven', states });
    }
  });
});

describe('a certificate for a target that goes back wrongly', () => {
  it('is given to one that does it right', () => {
    expect(ofCalls(new Losing(), coats(3)).certificate).to.deep.equal({ result: 'proven', states: 3 });
  });

  it('is not given where fingerprints tell nothing', () => {
    /** Wears out with the third coat that it ever took, and goes back rightly. */
    class Worn extends Cloakroom {
      taken = 0;
      override boot(room: Parameters<Cloakroom['boot']>[0]): void {
        super.boot(room);
        this.taken = 0;
      }
      override hang(): Reply {
        return ++this.taken === 3 ? { errno: 'ENOSPC' } : { errno: 'EINVAL' };
      }
      override readonly undoable = {
        attach: () => {},
        mark: () => this.marks.push([this.taken]),
        undo: () => {
          this.taken = this.marks.at(-1)?.[0] ?? 0;
        },
        drop: () => this.marks.pop(),
        fingerprint: () => [this.taken, 0] as const,
      };
    }
    const blind = new Worn();
    const refused = Array.from({ length: 3 }, () => ({ op: 'hang', colour: 0 }));
    expect(ofCalls(new Worn(), refused).certificate).to.deep.equal({ result: 'proven', states: 3 });
    blind.undoable.fingerprint = () => [0, 0];
    expect(ofCalls(blind, refused).certificate).to.deep.include({ result: 'undecided', states: 1 });
  });

  it('is not given where something is left behind', () => {
    /** Fails at every third coat that it ever took, whatever it went back to. */
    class Counting extends Cloakroom {
      taken = 0;
      override boot(room: Parameters<Cloakroom['boot']>[0]): void {
        super.boot(room);
        this.taken = 0;
      }
      override hang(colour: number): Reply {
        return ++this.taken % 3 === 0 ? { errno: 'EINVAL' } : super.hang(colour);
      }
    }
    const { certificate } = ofCalls(new Counting(), coats(3));
    expect(certificate).to.deep.include({ result: 'undecided' });
    expect(certificate).to.have.property('reason').that.includes('from boot do not show it');
  });
});
