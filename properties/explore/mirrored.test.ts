import { expect } from 'chai';
import type { Kernel } from '../../impl/kernel.ts';
import {
  type Machine,
  type Naming,
  type Renamable,
  type Reply,
  type Role,
  SPEC,
  type World,
} from '../../model/index.ts';
import { type Builtin, builtin } from '../../targets/builtin.ts';
import { runScript } from '../drive.ts';
import { Scripts } from '../generate.ts';
import type { Script } from '../script.ts';
import type { Step } from '../step.ts';
import { Stepper } from '../stepper.ts';
import { type Change, follow, forgetting, type Part, partsOf } from './orbits.test.ts';
import type { Orbit, Renaming } from './symmetry.ts';

/** Gives out the highest free id, where `impl/` gives out the lowest. */
function fromTheTop(kernel: Kernel): void {
  const highest = (free: (id: number) => boolean, first: number, end: number, errno: number): number => {
    for (let id = end - 1; id >= first; id--) if (free(id)) return id;
    return -errno;
  };
  const { ion, iommu, jobs, sg } = kernel;
  const { occupants } = kernel.pages;
  const { fds } = ion;
  ion.createClient = () => {
    const id = highest((client) => ion.client.get(client) === 0, 0, ion.client.count, 24);
    if (id >= 0) ion.client.set(id, 1);
    return id;
  };
  ion.lowestHandle = (client) =>
    highest((id) => ion.handle.get(ion.placeOf(client, id)) === 0, 1, ion.placeOf(1, 0), 28);
  fds.newId = (client) =>
    highest((fd) => fds.fd.get(fds.placeOf(client, fd)) === 0, 0, fds.placeOf(1, 0), 24);
  iommu.newId = () => highest((id) => iommu.type.get(id) === 0, 0, iommu.type.count, 28);
  jobs.newId = () => highest((id) => jobs.left.get(id) === 0, 0, jobs.left.count, 16);
  sg.newId = () => highest((id) => sg.head.get(id) === 0, 0, sg.head.count, 12);
  Object.assign(occupants, {
    newId: () => highest((id) => occupants.count.get(id) === 0, 0, occupants.count.count, 28),
  });
}

const upsideDown = (first: number, end: number, owners = 1, of?: string): ReturnType<Renaming['get']> => ({
  of,
  width: end,
  to: Array.from({ length: owners * end }, (_, at) =>
    at % end < first ? at % end : first + end - 1 - (at % end),
  ),
});

/** The renaming that turns the ids of every sort upside down, and the one that does nothing. */
function mirrorOf({
  clients,
  contexts,
  devices,
  handles,
  fds,
  sgTables,
  jobs,
  occupants,
}: Machine): Renaming[] {
  const sorts = {
    client: upsideDown(0, clients),
    context: upsideDown(0, contexts),
    device: upsideDown(0, devices),
    handle: upsideDown(1, handles + 1, clients, 'client'),
    fd: upsideDown(0, fds, clients, 'client'),
    table: upsideDown(0, sgTables),
    job: upsideDown(0, jobs),
    occupant: upsideDown(0, occupants),
  };
  const mirror = new Map(
    Object.entries(sorts).flatMap(([name, to]) => (to === undefined ? [] : [[name, to]])),
  );
  return [new Map(), mirror];
}

/** Devices are named by number. */
function mirrored(script: Script, { devices }: Machine): Script {
  const commands = script.commands.map((command) => {
    const { op, device } = command;
    const isNamed = op === 'iommu_attach_device' && typeof device === 'number' && device < devices;
    return isNamed ? { ...command, device: devices - 1 - device } : command;
  });
  return { ...script, commands };
}

const SCRIPTS = 40;

/** As small as lets several of everything be there at once. */
const MACHINE = {
  pages: 32,
  vmallocPages: 16,
  contexts: 2,
  clients: 3,
  handles: 3,
  fds: 3,
  sgTables: 3,
  jobs: 3,
  devices: 2,
  userPages: 8,
  occupants: 3,
  policies: { invalidation: 'lazy' },
};

/** One of two runs of a script, with its orbits under each reading of the roles. */
class Run {
  readonly stepper: Stepper<Machine, World>;
  orbits: readonly Orbit[] = [];
  readonly #target: Builtin;

  constructor(target: Builtin) {
    this.#target = target;
    this.stepper = new Stepper(SPEC, target);
  }

  begin(script: Script): Machine {
    const machine = this.stepper.begin(script);
    this.#target.boot(machine);
    this.#target.undoable.attach();
    this.stepper.lockstep.world.state.attach();
    this.stepper.lockstep.refresh(this.#target);
    return machine;
  }

  get sides(): readonly Renamable[] {
    const { world } = this.stepper.lockstep;
    const own: Renamable = {
      roles: () => SPEC.symmetry?.roles(world) ?? [],
      listen: (heard) => world.state.listen(heard),
    };
    return [own, this.#target.undoable.renamable ?? expect.fail('the target does not say where ids stand')];
  }

  follow(machine: Machine, changes: readonly Change[]): void {
    this.orbits = follow(this.sides, mirrorOf(machine), [(role) => role, ...changes]);
  }

  /** Makes the next call of the script. Undefined: there is none. */
  step(): Reply | undefined {
    const call = this.stepper.next();
    const isOwn = (this.stepper.steps[this.stepper.at] as Step | undefined)?.own === true;
    if (call === undefined || !isOwn) return undefined;
    const reply = this.#target.apply(call);
    expect(this.stepper.give(reply, this.#target)).to.equal(undefined);
    return reply;
  }

  fingerprint(at: number): string {
    return this.orbits[at]?.fingerprint().join() ?? '';
  }
}

/** The end of a client gives things back in the order of their ids, which is another one in the mirror. */
const ONLY = new Set(Object.keys(SPEC.calls).filter((op) => op !== 'ion_client_destroy'));

type Named = readonly [name: string, part: Part, side: number];

/** There is an id in it of something that is made and ends. */
const isAboutThings = (naming: Naming | undefined): boolean =>
  naming?.digits.some((digit) => typeof digit !== 'number' && digit !== 'page') === true;

/** The parts of all roles that the mirror changes. */
const namedParts = (sides: readonly Renamable[]): Named[] =>
  sides.flatMap((side, number) =>
    partsOf(side.roles())
      .filter(({ part, role }) => isAboutThings(role[part]))
      .map((part): Named => [`${number} ${part.column} by ${part.part}`, part, number]),
  );

/** The words with such ids, or about them. */
const wordsOf = (words: Int32Array, roles: readonly Role[]): string[] =>
  roles
    .filter(({ index, value }) => isAboutThings(index) || isAboutThings(value))
    .map(({ first, count }) => words.subarray(first, first + count).join());

describe('a target that gives out ids from the top', () => {
  const scripts = new Scripts(SPEC, 8, { machine: MACHINE, only: ONLY, noFaults: true });
  const plain = new Run(builtin());
  const mirror = new Run(builtin({ patch: fromTheTop }));

  /** Runs a script on both, and tells which readings of the roles have said that the states are not the same. */
  function unlike(
    script: Script,
    changesOf: (sides: readonly Renamable[]) => readonly Change[],
  ): Set<number> {
    const machine = plain.begin(script);
    mirror.begin(mirrored(script, machine));
    const changes = changesOf(plain.sides);
    plain.follow(machine, changes);
    mirror.follow(machine, changes);
    const different = new Set<number>();
    for (let reply = plain.step(); reply !== undefined; reply = plain.step()) {
      const other = mirror.step() ?? expect.fail('the mirror is at its end');
      expect('errno' in other && other.errno).to.equal('errno' in reply && reply.errno);
      for (const at of plain.orbits.keys()) {
        if (plain.fingerprint(at) !== mirror.fingerprint(at)) different.add(at);
      }
    }
    return different;
  }

  it('is in the same state but for names, and differs if one column forgets whose ids it has', () => {
    const all = new Set<string>();
    const noticed = new Set<string>();
    for (let index = 0; index < SCRIPTS; index++) {
      let left: Named[] = [];
      const different = unlike(scripts.at(index), (sides) => {
        const named = namedParts(sides);
        for (const [name] of named) all.add(name);
        left = named.filter(([name]) => !noticed.has(name));
        return left.map(([, part, side]) => forgetting(part, side));
      });
      expect(different.has(0), `script ${index}`).to.equal(false);
      for (const at of different) noticed.add(left[at - 1]?.[0] ?? '');
    }
    expect([...all].filter((name) => !noticed.has(name))).to.deep.equal([]);
    expect(all.size).to.be.above(60);
  }).timeout(30_000);
});

describe('what has ended', () => {
  it('leaves nothing in words about it, of either side', () => {
    const target = builtin();
    const stepper = new Stepper(SPEC, target);
    const scripts = new Scripts(SPEC, 9, { machine: MACHINE });
    let about = 0;
    for (let index = 0; index < 50; index++) {
      const script = scripts.at(index);
      expect(runScript(stepper, target, script)).to.equal(undefined);
      const { world } = stepper.lockstep;
      const roles = SPEC.symmetry?.roles(world) ?? [];
      const fresh = SPEC.boot(world.machine, true);
      expect(wordsOf(world.state.words, roles)).to.deep.equal(wordsOf(fresh.state.words, roles));
      const { store } = target.kernel;
      const left = wordsOf(store.words, target.undoable.renamable?.roles() ?? []);
      target.kernel.reset();
      expect(left).to.deep.equal(wordsOf(store.words, target.undoable.renamable?.roles() ?? []));
      about += left.length;
    }
    expect(about).to.be.above(50 * 30);
  }).timeout(10_000);
});
