import { expect } from 'chai';
import { type Reply, SPEC } from '../model/index.ts';
import { type Answer, Comparison, type Difference } from './comparison.ts';
import type { Owned } from './ownership.ts';
import type { Command } from './script.ts';

const isolation = SPEC.isolation ?? expect.fail('nothing is isolated');

interface Row {
  readonly command: Command;
  /** The same reply in both runs, two replies, or a call that was not made in one of them. */
  readonly replies: readonly (Reply | undefined)[];
  readonly owned?: Owned;
}

const OWN: Owned = { client: 'a', isPlaced: true };
const BY_ADDRESS: Owned = { client: 'a', isPlaced: false };

const answerOf = (command: Command, reply: Reply | undefined): Answer | undefined =>
  reply === undefined ? undefined : { call: { op: command.op, args: {} }, reply };

/** The first difference, and how many answers were compared. */
function compare(...rows: readonly Row[]): readonly [difference: string, compared: number] {
  const comparison = new Comparison(SPEC, isolation);
  const found: Difference | undefined = comparison.first(
    rows.map(({ command }) => command),
    rows.map(({ owned = OWN }) => owned),
    rows.map(({ command, replies }) => answerOf(command, replies[0])),
    rows.map(({ command, replies }) => answerOf(command, replies.length === 1 ? replies[0] : replies[1])),
  );
  const text =
    found === undefined ? '' : `${found.at} ${found.field} ${found.one.join()}|${found.other.join()}`;
  return [text, comparison.compared];
}

const query: Command = { op: 'ion_query', client: 'a' };
const read: Command = { op: 'device_read', through: 'context', at: 0, bytes: 32 };
const fine: Row = { command: query, replies: [{ ok: { heaps: 3 } }] };
const wrong: Row = { command: query, replies: [{ errno: 'EBADF' }, { ok: { heaps: 3 } }] };
const data = (...tags: readonly number[]): Reply => ({ ok: { data: tags } });

describe('Comparison', () => {
  it('finds errnos, data and faults that differ', () => {
    expect(compare(fine, wrong)).to.deep.equal(['1 errno |', 2]);
    expect(compare({ command: query, replies: [{ errno: 'EBADF' }, { errno: 'EINVAL' }] })[0]).to.equal(
      '0 errno |',
    );
    expect(compare({ command: read, replies: [data(1, 2), data(1, 3)] })[0]).to.equal('0 data 1,2|1,3');
    expect(compare({ command: read, replies: [data(1, 2), data(1)] })[0]).to.equal('0 data 1,2|1');
    const tick: Command = { op: 'tick_engine', job: 'job' };
    const ended = { ok: { data: [], left: 0, fault: 0 } };
    const faulted = { ok: { data: [], left: 0, fault: 1 } };
    expect(compare({ command: tick, replies: [ended, faulted] })[0]).to.equal('0 fault 0|1');
  });

  it('looks past pages, segments and ids', () => {
    const alloc: Command = { op: 'ion_alloc', client: 'a', bytes: 64, as: 'handle' };
    const list: Command = { op: 'ion_sg_table', client: 'a', handle: 'handle' };
    expect(
      compare(
        { command: alloc, replies: [{ ok: { handle: 1, pages: [3] } }, { ok: { handle: 7, pages: [9] } }] },
        { command: list, replies: [{ ok: { segments: [3, 1] } }, { ok: { segments: [9, 1] } }] },
        { command: query, replies: [{ errno: 'EBADF' }] },
      ),
    ).to.deep.equal(['', 3]);
  });

  it('ends at a shortage in either run, and at a call that was made in one of them alone', () => {
    for (const errno of ['ENOMEM', 'ENOSPC', 'EMFILE', 'EBUSY']) {
      const [one, other]: readonly Reply[] = [{ errno }, { ok: {} }];
      expect(compare({ command: query, replies: [one, other] }, wrong)).to.deep.equal(['', 0]);
      expect(compare(fine, { command: query, replies: [other, one] }, wrong)).to.deep.equal(['', 1]);
    }
    expect(compare({ command: query, replies: [{ ok: {} }, undefined] }, wrong)).to.deep.equal(['', 0]);
    expect(compare({ command: query, replies: [undefined] }, wrong)[0]).to.equal('1 errno |');
  });

  it('says nothing of what belongs to nobody or to others', () => {
    const nobody: Owned = { client: undefined, isPlaced: true };
    expect(compare({ ...wrong, owned: nobody }, fine)).to.deep.equal(['', 1]);
  });

  it('wants ids to be equal in both runs or in none', () => {
    const importing = (as: string): Command => ({ op: 'ion_import', client: 'a', fd: 'fd', as });
    const first: Row = { command: importing('h1'), replies: [{ ok: { handle: 1 } }, { ok: { handle: 4 } }] };
    const same: Row = { command: importing('h2'), replies: [{ ok: { handle: 1 } }, { ok: { handle: 4 } }] };
    const other: Row = { command: importing('h2'), replies: [{ ok: { handle: 2 } }, { ok: { handle: 4 } }] };
    const free: Row = { command: { op: 'ion_free', client: 'a', handle: 'h1' }, replies: [{ ok: {} }] };
    expect(compare(first, same)[0]).to.equal('');
    expect(compare(first, other)[0]).to.equal('1 ids |');
    expect(compare(first, free, other)[0], 'an id that was given back').to.equal('');
  });

  it('lets ids of what ends by itself come again', () => {
    const submit = (as: string): Command => ({ op: 'gpu_submit', context: 'context', as });
    const first: Row = { command: submit('j1'), replies: [{ ok: { job: 0 } }] };
    expect(
      compare(first, { command: submit('j2'), replies: [{ ok: { job: 0 } }, { ok: { job: 1 } }] })[0],
    ).to.equal('');
  });

  it('compares, once devices find things elsewhere, only what is reached wherever it lies', () => {
    const bind: Command = { op: 'gpu_bind', context: 'context', handle: 'handle', as: 'binding' };
    const moved: Row = { command: bind, replies: [{ ok: { address: 64 } }, { ok: { address: 128 } }] };
    const placed: Row = { command: read, replies: [data(1), data(2)] };
    expect(compare(moved, placed)[0]).to.equal('1 data 1|2');
    expect(compare(moved, { ...placed, owned: BY_ADDRESS })).to.deep.equal(['', 1]);
    expect(compare({ ...placed, owned: BY_ADDRESS })[0]).to.equal('0 data 1|2');
    const mapped: Row = {
      command: { op: 'ion_mmap', client: 'a', fd: 'fd', as: 'map' },
      replies: [{ ok: { address: 8192 } }, { ok: { address: 8256 } }],
    };
    expect(compare(mapped, { ...placed, owned: BY_ADDRESS })[0], 'addresses of CPUs').to.equal('1 data 1|2');
  });
});
