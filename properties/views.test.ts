import { expect } from 'chai';
import { type Call, type Column, type Invariant, State, type ViewColumn } from '../model/index.ts';
import { Views } from './views.ts';

const CALL: Call = { op: 'set', args: {} };
const OK = { ok: {} };

interface Fixture {
  readonly views: Views<object>;
  readonly state: State;
  readonly columns: readonly Column[];
  /** Names of the invariants that were asked, in order. */
  readonly asked: string[];
}

const COLUMNS: readonly ViewColumn<object>[] = [
  { name: 'plain', length: () => 3, own: true, serves: () => 'SAME' },
  {
    name: 'loose',
    length: () => 3,
    own: true,
    agrees: (own, shown) => own === 5 && shown > 5,
    serves: () => 'LIKE',
  },
  {
    name: 'open',
    length: () => 3,
    own: true,
    unknown: -1,
    serves: () => 'KNOWN',
    show: (value) => `<${value}>`,
  },
  { name: 'theirs', length: () => 1, own: false, serves: () => 'NEVER' },
];

/** An invariant over some columns that breaks when the first value of the first of them is 9. */
const state = (id: string, reads: readonly number[], asked: string[]): Invariant<object> => ({
  id,
  text: id,
  form: 'state',
  reads,
  broken({ columns }) {
    asked.push(id);
    return columns[reads[0] ?? 0]?.[0] === 9 ? `${id} is nine` : undefined;
  },
});

function fixture(invariants: readonly Invariant<object>[] = [], asked: string[] = []): Fixture {
  const own = new State();
  const columns = COLUMNS.map((column) => own.column(column.own ? column.length({}) : 0));
  own.seal();
  const views = new Views({ view: COLUMNS, invariants }, {}, own.columns(COLUMNS.length));
  return { views, state: own, columns, asked };
}

/** What a target writes and says it has touched. */
function show({ views }: Fixture, at: number, ...values: readonly number[]): void {
  views.shown.columns[at]?.set(values);
  views.shown.shown |= 1 << at;
  views.shown.touched |= 1 << at;
}

const check = ({ views, state }: Fixture): ReturnType<Views<object>['check']> => views.check(CALL, OK, state);

describe('views', () => {
  it('differ where a value does, and say which and whose invariant it is', () => {
    const fix = fixture();
    fix.columns[0]?.set(2, 4);
    show(fix, 0, 0, 0, 3);
    expect(check(fix)).to.deep.equal({
      kind: 'view',
      serves: 'SAME',
      clause: 'plain',
      detail: 'plain[2] is 3, the specification says 4',
    });
  });

  it('agree where a rule of the column says so, and only there', () => {
    const fix = fixture();
    fix.columns[1]?.set(0, 5);
    show(fix, 1, 7);
    expect(check(fix)).to.equal(undefined);
    show(fix, 1, 4);
    expect(check(fix)).to.include({ serves: 'LIKE' });
  });

  it('agree where the specification knows nothing', () => {
    const fix = fixture();
    fix.columns[2]?.set(1, -1);
    show(fix, 2, 0, 77);
    expect(check(fix)).to.equal(undefined);
    show(fix, 2, 1, 77);
    expect(check(fix)).to.include({ detail: 'open[0] is <1>, the specification says <0>' });
  });

  it('are not compared in columns that only the target has', () => {
    const fix = fixture();
    show(fix, 3, 5);
    expect(check(fix)).to.equal(undefined);
  });

  it('are not compared in columns that the target does not show', () => {
    const fix = fixture();
    fix.columns[0]?.set(0, 1);
    show(fix, 1, 0);
    expect(check(fix)).to.equal(undefined);
  });

  it('are compared only where one of the two sides was touched', () => {
    const fix = fixture();
    show(fix, 0, 0, 0, 0);
    expect(check(fix)).to.equal(undefined);
    fix.views.shown.columns[0]?.set([1]);
    expect(check(fix), 'nobody said so').to.equal(undefined);
    fix.columns[0]?.set(1, 3);
    expect(check(fix), 'the specification wrote the column').to.include({ clause: 'plain' });
  });

  it('are compared once for every touch: the bits are cleared', () => {
    const fix = fixture();
    fix.columns[0]?.set(0, 1);
    show(fix, 0, 1);
    expect(check(fix)).to.equal(undefined);
    expect([fix.state.touched, fix.views.shown.touched]).to.deep.equal([0, 0]);
  });

  it('show nothing any more after a reset', () => {
    const fix = fixture();
    show(fix, 0, 7);
    fix.views.reset();
    fix.columns[0]?.set(0, 1);
    expect(check(fix)).to.equal(undefined);
  });
});

describe('invariants of a view', () => {
  it('are asked only when a column that they read was touched and all are shown', () => {
    const asked: string[] = [];
    const fix = fixture([state('first', [0], asked), state('both', [1, 3], asked)], asked);
    show(fix, 0, 0);
    check(fix);
    const ofTarget = asked.splice(0);
    expect(ofTarget, 'the specification touched nothing').to.deep.equal(['first']);
    show(fix, 1, 0);
    check(fix);
    expect(asked.splice(0), 'the other column is not shown').to.deep.equal([]);
    show(fix, 3, 0);
    check(fix);
    expect(asked.splice(0)).to.deep.equal(['both']);
  });

  it('come before the comparison, in their order', () => {
    const asked: string[] = [];
    const fix = fixture([state('first', [0], asked), state('second', [0], asked)], asked);
    show(fix, 0, 9);
    expect(check(fix)).to.deep.equal({
      kind: 'invariant',
      serves: 'first',
      clause: 'state',
      detail: 'first is nine',
    });
    expect(asked).to.deep.equal(['first']);
  });

  it('are asked of the specification too, for what it touched itself', () => {
    const fix = fixture([state('first', [0], [])]);
    fix.columns[0]?.set(0, 9);
    show(fix, 0, 1);
    expect(check(fix)).to.include({ kind: 'specification', serves: 'first' });
  });

  it('of one step compare with what was shown before it', () => {
    const grows: Invariant<object> = {
      id: 'grows',
      text: 'the counter never goes down',
      form: 'step',
      reads: [3],
      before: ({ columns }) => columns[3]?.[0] ?? 0,
      broken: (before, { columns }) => ((columns[3]?.[0] ?? 0) < before ? `below ${before}` : undefined),
    };
    const fix = fixture([grows]);
    const step = (value: number): unknown => {
      fix.views.before();
      show(fix, 3, value);
      return check(fix)?.detail;
    };
    expect([5, 6, 4].map(step), 'before the first nothing was shown').to.deep.equal([
      undefined,
      undefined,
      'below 6',
    ]);
  });

  it('of one step are asked of a call that left everything as it was, too', () => {
    const changes: Invariant<object> = {
      id: 'changes',
      text: 'every call changes the counter',
      form: 'step',
      reads: [3],
      before: ({ columns }) => columns[3]?.[0] ?? 0,
      broken: (before, { columns }) => (columns[3]?.[0] === before ? 'nothing was done' : undefined),
    };
    const fix = fixture([changes]);
    fix.views.before();
    show(fix, 3, 1);
    expect(check(fix), 'nothing was shown before').to.equal(undefined);
    fix.views.before();
    expect(check(fix)).to.include({ serves: 'changes', clause: 'step', detail: 'nothing was done' });
  });

  it('of the end are asked at the end alone, if what they read is shown', () => {
    const last: Invariant<object> = { id: 'last', text: '', form: 'end', reads: [0], broken: () => 'left' };
    const fix = fixture([last]);
    expect(fix.views.checkEnd()).to.equal(undefined);
    show(fix, 0, 0);
    expect(check(fix)).to.equal(undefined);
    expect(fix.views.checkEnd()).to.include({ kind: 'invariant', serves: 'last', clause: 'end' });
  });
});
