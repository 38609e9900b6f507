import { expect } from 'chai';
import type { Reply, View } from '../model/index.ts';
import { runChunk } from './campaign.ts';
import { CLOAKROOM, Cloakroom } from './cloakroom.test.ts';
import { differenceOf, notRepeated, Recorder, runRepeatedly } from './determinism.ts';
import type { Finding } from './finding.ts';
import type { Script } from './script.ts';

const SCRIPT: Script = {
  format: 1,
  machine: { hooks: 3 },
  commands: [
    { op: 'hang', colour: 1, as: 'a' },
    { op: 'hang', colour: 2, as: 'b' },
    { op: 'fetch', ticket: 'a' },
  ],
};

const repeatedly = (target: Cloakroom, script = SCRIPT): Finding | undefined =>
  runRepeatedly(new Recorder(CLOAKROOM, target), target, script);

/** A cloakroom that goes wrong at every n-th coat since it was built: boots do not begin afresh. */
class Counting extends Cloakroom {
  readonly every: number;
  hung = 0;

  constructor(every: number) {
    super();
    this.every = every;
  }

  override hang(colour: number): Reply {
    return ++this.hung % this.every === 0 ? { errno: 'EIO' } : super.hang(colour);
  }
}

/** Takes the hooks in turn, whatever was booted in between. */
class Turning extends Cloakroom {
  turn = 0;

  override hang(colour: number): Reply {
    this.last = ++this.turn % 2 === 0;
    return super.hang(colour);
  }
}

describe('runRepeatedly', () => {
  it('finds nothing where the same is done every time, right or wrong', () => {
    expect(repeatedly(new Cloakroom())).to.equal(undefined);
    class Wrong extends Cloakroom {
      override give(): Reply {
        return { errno: 'EIO' };
      }
    }
    expect(repeatedly(new Wrong())).to.equal(undefined);
  });

  it('names the first call that succeeds in one run only', () => {
    for (const every of [2, 3, 4, 5, 6, 7]) {
      const finding = repeatedly(new Counting(every));
      expect(finding, `every ${every}`).to.deep.include({ kind: 'flaky', clause: 'outcome' });
      expect(finding?.detail).to.match(/one run answered (EIO, another ticket \d|ticket \d, another EIO)/);
      expect(finding?.call.op).to.equal('hang');
    }
  });

  it('tells periods that match the script by running other lengths in between', () => {
    // Two coats a run: without anything in between, every second one would be the second of every run.
    const script = { ...SCRIPT, commands: SCRIPT.commands.slice(0, 2) };
    expect(repeatedly(new Counting(2), script)?.clause).to.equal('outcome');
  });

  it('does not mind other ids, as long as they lead to nothing', () => {
    expect(repeatedly(new Turning())).to.equal(undefined);
  });

  it('tells which answer led to another finding', () => {
    class Lossy extends Turning {
      override observe(view: View): void {
        super.observe(view);
        if (this.coats[2] === 1) (view.columns[1] ?? new Int32Array(1))[0] = 7;
      }
    }
    const finding = repeatedly(new Lossy());
    expect(finding).to.deep.include({ kind: 'flaky', clause: 'finding', command: 0 });
    expect(finding?.detail).to.match(
      /one run found .*7 coats are counted.*; before that, to hang\(colour 1\)/,
    );
  });
});

describe('differenceOf', () => {
  it('leaves a finding alone that both runs show', () => {
    const call = { op: 'hang', args: {} };
    const finding = {
      kind: 'reply',
      command: 1,
      call,
      serves: 'P1',
      clause: 'x',
      layer: 'hall',
      detail: '',
    } as const;
    const one = { given: [{ at: 0, call, reply: { ok: {} } }], finding };
    const other = { given: [{ at: 0, call, reply: { errno: 'EIO' } }], finding };
    expect(differenceOf(one, other)).to.equal(undefined);
    expect(differenceOf({ ...one, finding: undefined }, { ...other, finding: undefined })?.clause).to.equal(
      'outcome',
    );
  });

  it('compares no further than both runs went in the same way', () => {
    const call = { op: 'hang', args: {} };
    const one = { given: [{ at: 0, call, reply: { ok: {} } }], finding: undefined };
    const other = { given: [{ at: 1, call, reply: { errno: 'EIO' } }], finding: undefined };
    expect(differenceOf(one, other)).to.equal(undefined);
    expect(differenceOf(one, { ...other, given: [] })).to.equal(undefined);
  });
});

describe('notRepeated', () => {
  const found = (command: number, clause = 'x'): Finding => ({
    kind: 'reply',
    command,
    call: { op: 'hang', args: {} },
    serves: 'P1',
    clause,
    layer: 'hall',
    detail: clause,
  });

  it('is content with the same finding at the same command', () => {
    expect(notRepeated(undefined, undefined)).to.equal(undefined);
    expect(notRepeated(found(2), { ...found(2), detail: 'other words' })).to.equal(undefined);
  });

  it('is told where the first of the two runs ended', () => {
    expect(notRepeated(found(2), found(1))?.command).to.equal(1);
    expect(notRepeated(found(1), found(2))?.command).to.equal(1);
    expect(notRepeated(undefined, found(2))?.command).to.equal(2);
    expect(notRepeated(found(2, 'x'), found(2, 'y'))?.detail).to.match(/found ".*: x", another ".*: y"$/);
    expect(notRepeated(found(2), undefined)?.detail).to.match(/, another nothing$/);
  });
});

describe('a finding of a campaign', () => {
  it('is one about the target when its script does not show it again', () => {
    const campaign = { spec: CLOAKROOM, target: new Counting(50), seed: 1, plan: {} };
    const { found } = runChunk(campaign, 0, 100);
    expect(found?.finding).to.deep.include({ kind: 'flaky', serves: 'determinism' });
    expect(found?.finding.detail).to.include('EIO');
  });
});
