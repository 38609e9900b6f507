import { expect } from 'chai';
import { type Call, type Concurrent, type Reply, SPEC, type Suspended, type View } from '../model/index.ts';
import { Builtin, builtin } from '../targets/builtin.ts';
import { infect, ZOO } from '../targets/zoo/index.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import type { Finding } from './finding.ts';
import { runSchedule } from './interleave.ts';
import type { Command, Preemption, Script } from './script.ts';
import { Stepper } from './stepper.ts';

const scriptOf = (
  commands: readonly Command[],
  schedule: readonly Preemption[],
  machine: Script['machine'] = {},
): Script => ({ format: 1, machine, commands, schedule });

/** A client with a buffer and a context: what two actors then quarrel about. */
const SETUP: readonly Command[] = [
  { op: 'ion_client_create', as: 'c' },
  { op: 'ion_alloc', client: 'c', bytes: 128, heaps: ['iommu'], flags: 'uncached', as: 'h' },
  { op: 'gpu_context_create', client: 'c', as: 'g' },
];
const BIND: Command = { op: 'gpu_bind', context: 'g', handle: 'h', access: 'both', as: 'm', actor: 'a' };

/** What the other actor does in the middle of the bind. */
const OTHERS: readonly (readonly Command[])[] = [
  [{ op: 'ion_free', client: 'c', handle: 'h', actor: 'b' }],
  [{ op: 'gpu_context_destroy', context: 'g', actor: 'b' }],
  [{ op: 'ion_client_destroy', client: 'c', actor: 'b' }],
  [{ op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'uncached', as: 'h2', actor: 'b' }],
  [{ op: 'gpu_bind', context: 'g', handle: 'h', access: 'read', as: 'm2', actor: 'b' }],
  [{ op: 'gpu_unbind', context: 'g', binding: 64, actor: 'b' }],
  [{ op: 'device_write', through: 'g', at: 64, bytes: 16, tag: 7, actor: 'b' }],
  [{ op: 'alloc_pages', order: 3, as: 'p', actor: 'b' }],
  [
    { op: 'ion_free', client: 'c', handle: 'h', actor: 'b' },
    { op: 'ion_alloc', client: 'c', bytes: 128, heaps: ['iommu'], flags: 'uncached', as: 'h2', actor: 'b' },
  ],
];

const at = (point: number, to = 'b'): Preemption => ({ in: 'm', point, to });

const runBuiltin = (script: Script, target = builtin()): Finding | undefined =>
  runSchedule(new Stepper(SPEC, target), target, script);

const lateReference = (): ReturnType<typeof builtin> =>
  infect(
    ZOO.find(({ name }) => name === 'late-reference') ?? expect.fail('there is no such bug'),
  ) as ReturnType<typeof builtin>;

describe('schedules on the built-in target', () => {
  for (const others of OTHERS) {
    it(`hold at every point against ${others.map(({ op }) => op).join(' and ')}`, () => {
      for (const schedule of [[], [at(1)], [at(1), at(1)]]) {
        for (const pages of [9, 12, 64]) {
          const script = scriptOf([...SETUP, BIND, ...others], schedule, { pages });
          expect(runBuiltin(script), JSON.stringify([schedule, pages])).to.equal(undefined);
        }
      }
    });
  }

  it('show a reference that is taken too late at point 1, and nowhere else', () => {
    const free = OTHERS[0] ?? [];
    const found = [[], [at(1)], [at(2)]].map((schedule) =>
      runBuiltin(scriptOf([...SETUP, BIND, ...free], schedule), lateReference()),
    );
    expect(found.map((finding) => finding === undefined)).to.deep.equal([true, false, true]);
    expect(found[1]).to.include({ kind: 'view', serves: 'C1', clause: 'kind' });
  });

  it('skip a preemption that cannot happen', () => {
    const free = { op: 'ion_free', client: 'c', handle: 'h', actor: 'b' };
    for (const schedule of [
      [{ in: 'nobody', point: 1, to: 'b' }],
      [{ in: 'h', point: 1, to: 'b' }],
      [at(3)],
      [at(1, 'nobody')],
      [at(1, 'a')],
      [at(1, 'main')],
    ]) {
      const script = scriptOf([...SETUP, BIND, free], schedule);
      expect(runBuiltin(script, lateReference()), JSON.stringify(schedule)).to.equal(undefined);
    }
  });

  it('accuse nobody when callers do together what no caller may do, and judge no further', () => {
    const script = scriptOf(
      [
        ...SETUP,
        { op: 'gpu_context_create', client: 'c', as: 'g2' },
        { op: 'gpu_submit', context: 'g2', at: 64, bytes: 64, access: 'read', tag: 1, as: 'j' },
        BIND,
        { op: 'gpu_context_destroy', context: 'g2', actor: 'b' },
        { op: 'tick_engine', job: 'j', actor: 'b' },
      ],
      [at(1)],
    );
    expect(runBuiltin(script), 'the job ended with its context').to.equal(undefined);
  });

  it('accuse nobody when a target does not survive what its callers do together', () => {
    const commands = [
      ...SETUP,
      { op: 'ion_map_kernel', client: 'c', handle: 'h', as: 'k' },
      { op: 'ion_free', client: 'c', handle: 'h', as: 'm', actor: 'a' },
      { op: 'ion_unmap_kernel', client: 'c', map: 'k', actor: 'b' },
    ];
    expect(runBuiltin(scriptOf(commands, [at(1)])), 'the mapping went with the handle').to.equal(undefined);
  });

  it('do not judge a shortage while others hold what is missing, and judge it when nobody does', () => {
    const machine = { pages: 4, orderMax: 0 };
    const alloc = { op: 'ion_alloc', client: 'c', bytes: 64, heaps: ['iommu'], flags: 'uncached' };
    const client = { op: 'ion_client_create', as: 'c' };
    const commands = [client, { ...alloc, as: 'm', actor: 'a' }, { ...alloc, actor: 'b' }];
    class Short extends Builtin {
      override apply(call: Call): Reply {
        return call.op === 'alloc_pages' ? { errno: 'ENOMEM' } : super.apply(call);
      }
    }
    expect(runBuiltin(scriptOf(commands, [at(1)], machine))).to.equal(undefined);
    const pages = { op: 'alloc_pages', order: 0, actor: 'b' };
    const held = scriptOf([...commands, pages], [at(1)], { pages: 9 });
    expect(runBuiltin(held, new Short({})), 'two buffers may hold all').to.equal(undefined);
    const found = runBuiltin({ ...held, schedule: [] }, new Short({}));
    expect(found).to.include({ kind: 'reply', clause: 'no ENOMEM', command: 3 });
  });

  it('need a target whose calls can be interrupted', () => {
    const target = new Cloakroom();
    const stepper = new Stepper(CLOAKROOM, target);
    expect(() => runSchedule(stepper, target, scriptOf([], []))).to.throw('cloakroom cannot interrupt calls');
  });

  it('let calls run in the order of the list where nothing preempts, whoever makes them', () => {
    const made: string[] = [];
    const target = builtin();
    const { start } = target.concurrent;
    const noting: Concurrent = {
      ...target.concurrent,
      start(actor, call) {
        made.push(`${actor} ${call.op}`);
        return start(actor, call);
      },
    };
    Object.defineProperty(target, 'concurrent', { value: noting });
    const commands = [...SETUP, BIND, { op: 'ion_free', client: 'c', handle: 'h', actor: 'b' }];
    expect(runBuiltin(scriptOf([...commands, { op: 'alloc_pages', order: 0 }], []), target)).to.equal(
      undefined,
    );
    expect(made.slice(3, 6)).to.deep.equal(['a gpu_bind', 'b ion_free', 'main alloc_pages']);
  });
});

/** A cloakroom that stops twice while a coat is hung up: before anything is done, or after everything was. */
class Slow extends Cloakroom {
  readonly early: boolean;
  readonly under = new Map<string, (() => Reply | Suspended)[]>();
  /** What was shown last: only what changes is touched. */
  shownBefore = '';

  constructor(early: boolean) {
    super();
    this.early = early;
  }

  readonly concurrent: Concurrent = {
    start: (actor: string, call: Call): Reply | Suspended => {
      if (call.op !== 'hang') return this.apply(call);
      const reply = this.early ? this.apply(call) : undefined;
      this.under.set(actor, [() => ({ point: 2 }), () => reply ?? this.apply(call)]);
      return { point: 1 };
    },
    resume: (actor: string): Reply | Suspended =>
      this.under.get(actor)?.shift()?.() ?? expect.fail('nothing is under way'),
  };

  override observe(view: View): void {
    const touched = view.touched;
    super.observe(view);
    const shown = view.columns.map((column) => column.join()).join(';');
    if (shown === this.shownBefore) view.touched = touched;
    this.shownBefore = shown;
  }
}

const ONE_HOOK = { hooks: 1 };
const FIRST: Command = { op: 'hang', colour: 1, as: 'x' };
const SECOND: Command = { op: 'hang', colour: 2, as: 'y', actor: 'a' };
const FETCH: Command = { op: 'fetch', ticket: 'x', actor: 'b' };
const STOP: Preemption = { in: 'y', point: 1, to: 'b' };

const runSlow = (target: Slow, script: Script): Finding | undefined =>
  runSchedule(new Stepper(CLOAKROOM, target), target, script);

describe('calls that overlap', () => {
  it('may take effect in either order, as the answers say', () => {
    for (const early of [true, false]) {
      const script = scriptOf([FIRST, SECOND, FETCH], [STOP], ONE_HOOK);
      expect(runSlow(new Slow(early), script), `early ${early}`).to.equal(undefined);
    }
  });

  it('may not take effect after a call that began when they had ended', () => {
    const script = scriptOf([FIRST, FETCH, SECOND], [], ONE_HOOK);
    class Forgetful extends Slow {
      override give(): Reply {
        return { ok: { colour: 1 } };
      }
    }
    expect(runSlow(new Forgetful(false), script)).to.include({ kind: 'view', clause: 'coat', command: 1 });
  });

  it('are found wrong when no order explains the answers', () => {
    class Lost extends Slow {
      override hang(colour: number): Reply {
        return colour === 2 ? { errno: 'EINVAL' } : super.hang(colour);
      }
    }
    const found = runSlow(new Lost(false), scriptOf([FIRST, SECOND, FETCH], [STOP], ONE_HOOK));
    expect(found).to.include({ kind: 'reply', clause: 'no EINVAL', command: 1 });
  });

  it('are found wrong by what the target shows, whichever order explains the answers', () => {
    class Miscounting extends Slow {
      override observe(view: View): void {
        super.observe(view);
        if (this.coats.join() === '1,1,2') view.columns[1]?.fill(5);
      }
    }
    const script = scriptOf([FIRST, SECOND, { ...FIRST, as: 'z', actor: 'b' }], [STOP], { hooks: 3 });
    expect(runSlow(new Miscounting(false), script)).to.include({ kind: 'invariant', serves: 'COUNT' });
  });

  it('are not held to what one step alone must leave as it was', () => {
    const other: Command = { op: 'hang', colour: 1, actor: 'b' };
    const script = scriptOf([FIRST, SECOND, other], [STOP], { hooks: 2 });
    expect(runSlow(new Slow(false), script), 'the second fails, and the count has changed').to.equal(
      undefined,
    );
  });

  it('are not asked for what one of them has consumed', () => {
    class Once extends Slow {
      override give(op: string, ticket: number): Reply {
        if ((this.coats[ticket] ?? 0) <= 0) throw new Error('given twice');
        return super.give(op, ticket);
      }
    }
    const spec = { ...CLOAKROOM, kinds: { ticket: { main: 'ticket' } } };
    const schedule = [STOP, { in: 'y', point: 2, to: 'c' }];
    const script = scriptOf([FIRST, SECOND, FETCH, { ...FETCH, actor: 'c' }], schedule, { hooks: 3 });
    const target = new Once(false);
    expect(runSchedule(new Stepper(spec, target), target, script)).to.equal(undefined);
  });

  it('give back at the end what actors made after the main one was done', () => {
    const schedule = [{ in: 'y', point: 1, to: 'main' }];
    const script = scriptOf([FIRST, SECOND, { op: 'hang', colour: 1, as: 'z', actor: 'b' }], schedule, {
      hooks: 3,
    });
    const ops: string[] = [];
    class Noting extends Slow {
      override apply(call: Call): Reply {
        ops.push(call.op);
        return super.apply(call);
      }
    }
    expect(runSlow(new Noting(false), script)).to.equal(undefined);
    expect(ops).to.deep.equal(['hang', 'hang', 'hang', 'fetch', 'fetch', 'fetch']);
  });

  it('are a crash of the call that was resumed, not of the one before', () => {
    class Falling extends Slow {
      override hang(colour: number): Reply {
        if (colour === 2) throw new Error('it fell');
        return super.hang(colour);
      }
    }
    const found = runSlow(new Falling(false), scriptOf([FIRST, SECOND, FETCH], [STOP], ONE_HOOK));
    expect(found).to.include({ kind: 'crash', detail: 'it fell', command: 1 });
    expect(found?.call.op).to.equal('hang');
  });
});
