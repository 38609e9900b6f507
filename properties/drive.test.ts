import { expect } from 'chai';
import {
  type Args,
  type Call,
  type Machine,
  type RemoteReply,
  type RemoteTarget,
  type Reply,
  type SlotCall,
  SPEC,
  type Target,
} from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { CLOAKROOM, Cloakroom, type Room } from './cloakroom.test.ts';
import { runRemote, runScript } from './drive.ts';
import { type Finding, describe as inWords } from './finding.ts';
import { Scripts } from './generate.ts';
import type { Command, Script } from './script.ts';
import { Stepper } from './stepper.ts';

type Answer = RemoteReply | 'skipped';
type Batch = (calls: readonly SlotCall[]) => readonly Answer[];

const remote = (batch: Batch, more: Partial<RemoteTarget<Room>> = {}): RemoteTarget<Room> => ({
  name: 'remote',
  capabilities: new Set(['page-numbers'] as const),
  boot: () => Promise.resolve(),
  batch: (calls) => Promise.resolve(batch(calls)),
  close: () => Promise.resolve(),
  ...more,
});

interface Slot {
  readonly slot: number;
  readonly field: string;
  readonly unit?: number;
  readonly offset?: number;
  readonly consumes?: true;
  readonly user?: true;
}

const isSlot = (value: unknown): value is Slot =>
  typeof value === 'object' && value !== null && 'slot' in value;

/** A target in this process behind the slots of one in another. It shows nothing. */
class Far<M> implements RemoteTarget<M> {
  readonly name = 'far';
  readonly capabilities = new Set(['faults'] as const);
  readonly #near: Target<M>;
  #values: Record<string, unknown>[] = [];
  readonly #emptied = new Set<number>();

  constructor(near: Target<M>) {
    this.#near = near;
  }

  boot(machine: M): Promise<void> {
    this.#values = [];
    this.#emptied.clear();
    this.#near.boot(machine);
    return Promise.resolve();
  }

  batch(calls: readonly SlotCall[]): Promise<readonly Answer[]> {
    return Promise.resolve(calls.map((call) => this.#answer(call)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer({ op, args, into, fail }: SlotCall): Answer {
    const values = Object.entries(args).map(([name, value]) => [name, this.#resolve(value)] as const);
    if (values.some(([, value]) => value === undefined)) return 'skipped';
    const call = { op, args: Object.fromEntries(values) as Args };
    const reply = this.#apply(fail === undefined ? call : { ...call, fail });
    if ('errno' in reply) return reply;
    if (into !== undefined) this.#values[into] = reply.ok;
    for (const arg of Object.values(args))
      if (isSlot(arg) && arg.consumes === true) this.#emptied.add(arg.slot);
    return reply;
  }

  /** What no caller may do is sent too, and nothing that comes after is judged; it may well fail badly. */
  #apply(call: Call): Reply {
    try {
      return this.#near.apply(call);
    } catch {
      return { errno: 'EIO' };
    }
  }

  #resolve(value: unknown): unknown {
    if (Array.isArray(value)) {
      const list = value.map((item) => this.#resolve(item));
      return list.includes(undefined) ? undefined : list;
    }
    if (typeof value === 'string' && value.startsWith('0x')) return Number(value);
    if (!isSlot(value)) return value;
    if (this.#emptied.has(value.slot) && value.user !== true) return undefined;
    const base = this.#values[value.slot]?.[value.field];
    return base === undefined ? undefined : Number(base) * (value.unit ?? 1) + (value.offset ?? 0);
  }
}

const HANG: Command = { op: 'hang', colour: 1, as: 'a' };

const scriptOf = (...commands: readonly Command[]): Script => ({ format: 1, machine: {}, commands });

const run = (target: RemoteTarget<Room>, script: Script): Promise<Finding | undefined> =>
  runRemote(new Stepper(CLOAKROOM, target), target, script);

describe('runRemote', () => {
  it('holds on a far built-in target without page numbers, and judges as much as near', async () => {
    const far = new Far<Machine>(builtin());
    const stepper = new Stepper(SPEC, far);
    const scripts = new Scripts(SPEC, 4);
    for (let index = 0; index < 150; index++) {
      const finding = await runRemote(stepper, far, scripts.at(index));
      if (finding !== undefined) expect.fail(`script ${index}: ${inWords(finding)}`);
    }
    expect(stepper.counts.rowsUnjudged.some((count) => count > 0)).to.equal(true);
    expect(stepper.counts.commands).to.be.above(2000);
  }).timeout(20_000);

  it('sends one batch with everything that gives back, and finds what a near target would show', async () => {
    const ops: string[][] = [];
    const target = remote((calls) => {
      ops.push(calls.map(({ op }) => op));
      return [{ ok: { ticket: 0 } }, { errno: 'ENOENT' }];
    });
    expect(await run(target, scriptOf(HANG))).to.include({ kind: 'reply', clause: 'no ENOENT', command: 1 });
    expect(ops).to.deep.equal([['hang', 'fetch']]);
  });

  it('compares the columns that come with a reply, by name', async () => {
    const shown =
      (coat: number[]): Batch =>
      () => [
        { ok: { ticket: 0 }, shown: { coat } },
        { ok: { colour: 1 }, shown: { coat: [0, 0] } },
      ];
    expect(await run(remote(shown([1, 0])), scriptOf(HANG))).to.equal(undefined);
    expect(await run(remote(shown([0, 1])), scriptOf(HANG))).to.include({ kind: 'view', clause: 'coat' });
  });

  it('leaves out the calls that a target does not answer', async () => {
    const batches: number[] = [];
    const target = remote(
      (calls) => {
        batches.push(calls.length);
        return [{ ok: { ticket: 0 } }];
      },
      { calls: new Set(['hang']) },
    );
    expect(await run(target, scriptOf(HANG, { op: 'brush', ticket: 'a' }))).to.equal(undefined);
    expect(batches).to.deep.equal([1]);
  });

  it('is content with a command skipped on both sides', async () => {
    const target = remote(() => [{ errno: 'EINVAL' }, 'skipped', 'skipped']);
    expect(await run(target, scriptOf({ ...HANG, colour: 9 }, { op: 'fetch', ticket: 'a' }))).to.equal(
      undefined,
    );
  });

  it('takes a skip for a crash where the slots are filled', async () => {
    const target = remote(() => [{ ok: { ticket: 0 } }, 'skipped']);
    expect(await run(target, scriptOf(HANG))).to.include({
      kind: 'crash',
      detail: 'it skipped fetch, whose slots are filled',
    });
  });

  it('sends nothing that the caller may not do', async () => {
    const sent: string[] = [];
    const target = remote((calls) => {
      sent.push(...calls.map(({ op }) => op));
      return calls.map(({ op }) => (op === 'hang' ? { ok: { ticket: 0 } } : { ok: { colour: 1 } }));
    });
    await run(target, scriptOf({ op: 'brush', ticket: 0 }, HANG));
    expect(sent[0]).to.equal('hang');
  });

  it('takes a failing boot and a failing batch for a crash', async () => {
    const broken = (): Promise<never> => Promise.reject(new Error('gone'));
    for (const more of [{ boot: broken }, { batch: broken }]) {
      expect(
        await run(
          remote(() => [], more),
          scriptOf(HANG),
        ),
      ).to.include({ kind: 'crash', detail: 'gone' });
    }
  });
});

describe('runScript', () => {
  it('runs nothing after the first finding', () => {
    const made: number[] = [];
    class Counting extends Cloakroom {
      override hang(colour: number): Reply {
        made.push(colour);
        return colour === 2 ? { errno: 'EINVAL' } : super.hang(colour);
      }
    }
    const target = new Counting();
    const script = scriptOf(HANG, { op: 'hang', colour: 2 }, { op: 'hang', colour: 1 });
    expect(runScript(new Stepper(CLOAKROOM, target), target, script)).to.include({ command: 1 });
    expect(made).to.deep.equal([1, 2]);
  });

  it('throws for a script that does not fit', () => {
    const target = new Cloakroom();
    const stepper = new Stepper(CLOAKROOM, target);
    expect(() => runScript(stepper, target, scriptOf({ op: 'hnag' }))).to.throw('commands[0].op');
  });
});
