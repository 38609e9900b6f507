import { expect } from 'chai';
import { CALLS } from './calls.ts';
import { ISOLATION } from './isolation.ts';

describe('what clients share', () => {
  it('is nothing that one of them calls', () => {
    const left = Object.keys(CALLS).filter((op) => !ISOLATION.calls.includes(op));
    expect(left.filter((op) => /^(ion|fd|gpu|cpu|device|tick)_/.test(op))).to.deep.equal([
      'tick_cache',
      'fd_send',
    ]);
    expect(ISOLATION.calls.filter((op) => !Object.hasOwn(CALLS, op))).to.deep.equal([]);
  });

  it('is said by invariants: whose data, what is reached, and which errno', () => {
    const { serves } = ISOLATION;
    expect(serves('data', [-1, 2], [-1, 3])).to.equal('I8');
    expect(serves('data', [-1, 2], [0, 2])).to.equal('I3');
    expect(serves('data', [2, -1], [2, 1])).to.equal('I3');
    expect(serves('data', [2], [2, 2])).to.equal('I3');
    for (const field of ['lines', 'left', 'fault']) expect(serves(field, [1], [2])).to.equal('I3');
    for (const field of ['errno', 'ids', 'heaps']) expect(serves(field, [], [])).to.equal('P1');
  });

  it('compares only fields that some call gives', () => {
    const given = new Set(
      Object.values(CALLS).flatMap((call) => ('gives' in call ? Object.keys(call.gives.fields) : [])),
    );
    expect(ISOLATION.fields.filter((field) => !given.has(field))).to.deep.equal([]);
  });
});
