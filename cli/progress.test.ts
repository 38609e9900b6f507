import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { Progress } from './progress.ts';
import { recordingSession } from './session.ts';

describe('progress without a terminal', () => {
  it('is told after two seconds, then every ten, from the start of each run, until all is done', () => {
    let now = 0;
    const session = { ...recordingSession(), now: () => now };
    const progress = new Progress(session, 100, undefined);
    const told = (at: number, scripts: number): void => {
      now = at;
      progress.update({ scripts, commands: 1_000 });
    };
    told(1_900, 1);
    told(2_000, 1);
    told(11_900, 40);
    told(12_000, 100);
    now = 20_000;
    progress.restart();
    told(30_000, 50);
    expect(session.recorded().err.split('\n')).to.deep.equal([
      '1 %, 1 script, 1,000 commands, 500 commands/s, 198 s left',
      '50 %, 50 scripts, 1,000 commands, 100 commands/s, 10 s left',
    ]);
  });

  it('names what takes longer than two seconds, and nothing shorter', async () => {
    const session = recordingSession();
    const progress = new Progress(session, 1, undefined);
    progress.say('first');
    progress.say('second');
    await setTimeout(2_100);
    progress.say('third');
    progress.end();
    await setTimeout(10);
    expect(session.recorded().err).to.equal('second');
  }).timeout(5_000);
});
