import { expect } from 'chai';
import { SPEC } from '../../model/index.ts';
import type { Script } from '../script.ts';
import { fewerFaults, fewerPreemptions } from './extras.ts';

const SCRIPT: Script = {
  format: 1,
  machine: {},
  commands: [
    { op: 'alloc_pages', order: 0, as: 'a', actor: 'x', fail: { page: 3 } },
    { op: 'alloc_pages', order: 0, as: 'b', actor: 'y', fail: { page: 1 } },
  ],
  schedule: [
    { in: 'a', point: 1, to: 'y' },
    { in: 'b', point: 1, to: 'x' },
  ],
};

describe('fewer faults', () => {
  it('are none, or one, or one at an earlier asking; all else stays', () => {
    const offered = [...fewerFaults.candidates(SCRIPT, SPEC)];
    expect(
      offered.map(({ commands }) => commands.map(({ fail }) => fail?.['page'] ?? '-').join(' ')),
    ).to.deep.equal(['- -', '3 -', '- 1', '1 1', '2 1']);
    for (const { schedule, commands } of offered) {
      expect(schedule).to.equal(SCRIPT.schedule);
      expect(commands.map(({ actor }) => actor)).to.deep.equal(['x', 'y']);
    }
  });
});

describe('fewer preemptions and actors', () => {
  it('are none, or one; then a single actor, or one command less of another', () => {
    const offered = Array.from(fewerPreemptions.candidates(SCRIPT, SPEC), ({ commands, schedule = [] }) => [
      schedule.map((preemption) => preemption.in).join(''),
      commands.map(({ actor }) => actor ?? '-').join(' '),
    ]);
    expect(offered).to.deep.equal([
      ['', 'x y'],
      ['a', 'x y'],
      ['b', 'x y'],
      ['ab', '- -'],
      ['ab', 'x -'],
      ['ab', '- y'],
    ]);
    const [first] = [...fewerPreemptions.candidates(SCRIPT, SPEC)];
    expect(first).to.not.have.property('schedule');
  });

  it('are nothing where there are none', () => {
    const plain: Script = { format: 1, machine: {}, commands: [{ op: 'alloc_pages', order: 0 }] };
    for (const pass of [fewerFaults, fewerPreemptions])
      expect([...pass.candidates(plain, SPEC)], pass.name).to.deep.equal([]);
  });
});
