import { expect } from 'chai';
import { Clock } from './clock.ts';
import { commandOf } from './keys.ts';
import { isMeant } from './search.ts';
import { columnsOf } from './series.ts';

describe('web: words', () => {
  const clock = new Clock({ first: 9_577_902_000 });
  const counter = new Clock({ first: 100, ticks: true });

  it('tells a moment as the trace writes it, so that it can be searched for', () => {
    expect(clock.moment(9_817_765_000)).to.equal('9.817765 s (+0.239863 s)');
    expect(clock.after(239_863_001)).to.equal('+0.239863001 s');
    expect(counter.moment(5100)).to.equal('5100 (+5,000)');
  });

  it('gives neighbours on an axis different labels, without digits that all share', () => {
    const labels = ['+1 s', '+0.5 s', '+0.02 s', '+0.000001 s', '+0.000000001 s'];
    expect([1e9, 5e8, 2e7, 1000, 1].map((step) => clock.tick(step, step))).to.deep.equal(labels);
  });

  it('takes no ticks for seconds', () => {
    expect(counter.tick(2e9, 1e9)).to.equal('+2,000,000,000');
    expect([clock.lasting(2e9), counter.lasting(2e9)]).to.deep.equal(['2 s', '2,000,000,000 ticks']);
  });
});

describe('web: series', () => {
  it('holds each figure until its next value, whichever has one there', () => {
    const columns = columnsOf(
      [
        { times: [110, 130], values: [1, 3] },
        { times: [120], values: [4096] },
      ],
      100,
      50,
    );
    expect(columns).to.deep.equal([
      [0, 10, 20, 30, 50],
      [0, 1, 1, 3, 3],
      [0, 0, 4096, 4096, 4096],
    ]);
  });
});

describe('web: search', () => {
  const bar = {
    iova: 0xfff10000,
    paddr: 0xa491000,
    size: 8192,
    from: 1,
    line: 1,
    task: 'kworker/1:1H',
    pid: 7,
  };
  const isIn = (query: string): boolean => isMeant({ ...bar, space: '0000:00:04.0' }, query);

  it('finds a mapping by any of its addresses, its frames, its device and its task', () => {
    const queries = ['0xfff11fff', 'FFF10000', '0xa491800', 'a492', '00:04.0', 'kworker', ' kworker '];
    expect(queries.filter(isIn)).to.deep.equal(queries);
  });

  it('does not find it by the addresses next to it, or by nothing', () => {
    expect(['0xfff12000', '0xfff0ffff', '0xa493', 'a490', '00:05.0', '', ' '].filter(isIn)).to.deep.equal([]);
  });
});

describe('web: keys', () => {
  const plain = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, target: null };
  const within = (place: string) => ({
    closest: (places: string) => (places.split(', ').includes(place) ? {} : null),
  });

  it('moves, zooms and goes through findings', () => {
    const commands = ['+', 'a', 'ArrowUp', 'n', 'p', ']', '0', 'Escape'].map((key) =>
      commandOf({ ...plain, key }),
    );
    const wanted = [
      'in',
      'earlier',
      'up',
      'next-finding',
      'previous-finding',
      'next-mapping',
      'whole',
      'clear',
    ];
    expect(commands).to.deep.equal(wanted);
    expect(commandOf({ ...plain, key: 'ArrowUp', shiftKey: true })).to.equal('rows-in');
  });

  it('leaves alone what the browser needs itself', () => {
    expect(commandOf({ ...plain, key: 'a', ctrlKey: true })).to.equal(undefined);
    expect(commandOf({ ...plain, key: 'Tab' })).to.equal(undefined);
    expect(commandOf({ ...plain, key: 'n', target: within('input') })).to.equal(undefined);
    expect(commandOf({ ...plain, key: 'ArrowDown', target: within('aside') })).to.equal(undefined);
    expect(commandOf({ ...plain, key: 'n', target: within('aside') })).to.equal('next-finding');
  });
});
