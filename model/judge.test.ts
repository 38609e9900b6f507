import { expect } from 'chai';
import { isDue, judge, type Reply, type Rule, rowCount, type Seen } from './index.ts';
import { NOTHING } from './judged.test.ts';
import type { Args, Value } from './target.ts';

/** The state is the set of words that are true; each row asks for a word. */
type Words = ReadonlySet<string>;
const asks =
  (word: string) =>
  (words: Words): boolean =>
    words.has(word);

const RULE: Rule<Words, Args, Value> = {
  require: [
    ['first duty', asks('d1')],
    ['second duty', asks('d2')],
  ],
  refuse: [
    ['EBADF', asks('r1'), 'C5'],
    ['EINVAL', asks('r2'), 'P2'],
  ],
  may: [
    ['ENOMEM', asks('m1')],
    ['ENOSPC', asks('m2')],
    ['ENOMEM', asks('m3')],
  ],
  accept: [
    ['a first answer', asks('a1'), 'S3'],
    ['a second answer', asks('a2'), 'S1', 'page-numbers'],
    ['a third answer', asks('a3'), 'H1'],
  ],
  effect: () => {
    throw new Error('judging has no effect');
  },
  owes: () => 'M1',
};

interface Verdict {
  readonly said: string | undefined;
  /** Rows in the order in which they were judged: number, and whether it held. */
  readonly rows: readonly string[];
}

function verdict(
  words: string,
  reply: Reply,
  pageNumbers = true,
  fired: readonly string[] = [],
  errnoOrder = false,
): Verdict {
  const rows: string[] = [];
  const tally = {
    note: (row: number, holds: boolean): void => void rows.push(`${row}${holds ? '+' : '-'}`),
    unjudged: (row: number): void => void rows.push(`${row}?`),
  };
  const terms = {
    pageNumbers,
    errnoOrder,
    sites: { page: ['ENOMEM'], id: ['EMFILE', 'EBUSY'], kmalloc_large: [] },
  };
  const state = new Set(words.split(' '));
  const wrong = judge(RULE, state, {}, reply, { ...NOTHING, fired }, terms, tally, 100);
  return { said: wrong && `${wrong.clause}, expected ${wrong.expected} (${wrong.serves})`, rows };
}

const said = (...args: Parameters<typeof verdict>): string | undefined => verdict(...args).said;

describe('isDue', () => {
  it('wants every duty done', () => {
    expect(isDue(RULE, new Set(['d1', 'd2']), {})).to.equal(true);
    for (const words of [[], ['d1'], ['d2']]) expect(isDue(RULE, new Set(words), {})).to.equal(false);
    expect(isDue({ ...RULE, require: [] }, new Set<string>(), {})).to.equal(true);
  });
});

describe('judge', () => {
  it('is content with a value that every row accepts and none refuses', () => {
    expect(said('a1 a2 a3', { ok: {} })).to.equal(undefined);
  });

  it('takes any errno that is owed, but from a target that keeps the order only the first', () => {
    expect(said('r1 r2', { errno: 'EINVAL' })).to.equal(undefined);
    expect(said('r2', { errno: 'EINVAL' }, true, [], true)).to.equal(undefined);
    expect(said('r1 r2', { errno: 'EINVAL' }, true, [], true)).to.equal(
      'refuse EBADF, expected errno EBADF (C5)',
    );
  });

  it('wants the first errno that is owed instead of a value', () => {
    expect(said('r1 r2 a1 a2 a3', { ok: {} })).to.equal('refuse EBADF, expected errno EBADF (C5)');
    expect(said('r2 a1 a2 a3', { ok: {} })).to.equal('refuse EINVAL, expected errno EINVAL (P2)');
  });

  it('names the first row that does not accept a value', () => {
    expect(said('a2', { ok: {} })).to.equal('a first answer, expected a first answer (S3)');
    expect(said('a1 a3', { ok: {} })).to.equal('a second answer, expected a second answer (S1)');
    expect(said('a1 a2', { ok: {} })).to.equal('a third answer, expected a third answer (H1)');
  });

  it('leaves rows about page numbers unjudged where there are none', () => {
    expect(verdict('a1 a3', { ok: {} }, false)).to.deep.equal({
      said: undefined,
      rows: ['100-', '101-', '105+', '106?', '107+'],
    });
  });

  it('tells the rows that accept what the target showed', () => {
    const given = { ...NOTHING, fired: ['page'] };
    const told: Seen[] = [];
    const accept: (typeof RULE)['accept'] = [['a', (_s, _args, _value, seen) => told.push(seen) > 0, 'S1']];
    const rule = { ...RULE, accept };
    const terms = { pageNumbers: true, errnoOrder: false, sites: {} };
    judge(rule, new Set<string>(), {}, { ok: {} }, given, terms, { note() {}, unjudged() {} }, 0);
    expect(told).to.deep.equal([given]);
  });

  it('takes any errno that is owed', () => {
    for (const errno of ['EBADF', 'EINVAL']) expect(said('r1 r2', { errno })).to.equal(undefined);
    expect(said('r2', { errno: 'EBADF' })).to.equal('refuse EINVAL, expected errno EINVAL (P2)');
    expect(said('r1 r2', { errno: 'EFAULT' })).to.equal('refuse EBADF, expected errno EBADF (C5)');
  });

  it('takes an errno that is allowed, also where another is owed', () => {
    for (const words of ['m1', 'm3', 'r1 m3']) expect(said(words, { errno: 'ENOMEM' })).to.equal(undefined);
    expect(said('m1', { errno: 'ENOSPC' })).to.equal('no ENOSPC, expected success (M1)');
    expect(said('r1', { errno: 'ENOMEM' })).to.equal('refuse EBADF, expected errno EBADF (C5)');
  });

  it('takes the errnos of a site that failed, and no others', () => {
    expect(said('', { errno: 'EBUSY' }, true, ['page', 'id'])).to.equal(undefined);
    expect(said('', { errno: 'ENOMEM' }, true, ['page'])).to.equal(undefined);
    for (const fired of [[], ['id'], ['kmalloc_large'], ['nowhere']]) {
      expect(said('', { errno: 'ENOMEM' }, true, fired)).to.equal('no ENOMEM, expected success (M1)');
    }
    expect(said('r1', { ok: {} }, true, ['page'])).to.equal('refuse EBADF, expected errno EBADF (C5)');
  });

  it('takes no errno for a fault from a call that has no way to fail', () => {
    const terms = { pageNumbers: true, errnoOrder: false, sites: { page: ['ENOMEM'] } };
    const given = { ...NOTHING, fired: ['page'] };
    const ask = (rule: typeof RULE): boolean =>
      judge(
        rule,
        new Set<string>(),
        {},
        { errno: 'ENOMEM' },
        given,
        terms,
        { note() {}, unjudged() {} },
        0,
      ) === undefined;
    expect([ask(RULE), ask({ ...RULE, recovers: true })]).to.deep.equal([true, false]);
  });

  it('notes the rows that it asked, and only those', () => {
    expect(verdict('a1 a2 a3', { ok: {} }).rows).to.deep.equal(['100-', '101-', '105+', '106+', '107+']);
    expect(verdict('r1 r2', { ok: {} }).rows).to.deep.equal(['100+']);
    expect(verdict('a1', { ok: {} }).rows).to.deep.equal(['100-', '101-', '105+', '106-']);
    expect(verdict('r1 r2', { errno: 'EINVAL' }).rows).to.deep.equal(['100+', '101+']);
    expect(verdict('m3', { errno: 'ENOMEM' }).rows).to.deep.equal(['100-', '101-', '102-', '104+']);
    expect(verdict('', { errno: 'ENOSPC' }).rows).to.deep.equal(['100-', '101-', '103-']);
    expect(rowCount(RULE)).to.equal(8);
  });
});
