import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { COUNTER, KINDS, VIEW_COLUMNS } from '../model/index.ts';
import { parseBooted, parseHello, parseReplies } from './wire.ts';

const HELLO = { ionclad: 1, name: 'toy', calls: ['alloc_pages'], capabilities: ['faults'] };

const replies = (...list: readonly unknown[]): string => JSON.stringify({ replies: list });

describe('wire: hello', () => {
  it('gives name, calls and capabilities', () => {
    const { name, calls, capabilities } = parseHello(JSON.stringify(HELLO));
    expect(name).to.equal('toy');
    expect([...(calls ?? [])]).to.deep.equal(['alloc_pages']);
    expect([...capabilities]).to.deep.equal(['faults']);
  });

  it('may leave out the calls: all of them', () => {
    const { calls, ...rest } = HELLO;
    expect(calls).to.have.length(1);
    expect(parseHello(JSON.stringify(rest)).calls).to.equal(undefined);
  });

  const ILL: readonly [hello: unknown, message: RegExp][] = [
    [{ ...HELLO, ionclad: 2 }, /^its protocol version is 2; expected version 1; bring the adapter/],
    [{ ...HELLO, name: '' }, /^hello\.name is ""; expected a name/],
    [{ ...HELLO, calls: 'all' }, /^hello\.calls is "all"; expected a list/],
    [
      { ...HELLO, capabilities: ['flying'] },
      /^hello\.capabilities is \["flying"\]; expected a list out of page-/,
    ],
    [{ ionclad: 1, name: 'toy' }, /^hello\.capabilities is missing/],
    [{ ...HELLO, versoin: 1 }, /^hello has a field "versoin"; expected ionclad, name, calls, capabilities/],
    [{ ok: true }, /^its first line is \{"ok":true\}; expected the hello .*; write it before/],
  ];
  for (const [hello, message] of ILL) {
    it(`refuses ${JSON.stringify(hello)}`, () => {
      expect(() => parseHello(JSON.stringify(hello))).to.throw(message);
    });
  }

  it('refuses what is not JSON', () => {
    expect(() => parseHello('Starting…')).to.throw(
      /^it wrote "Starting…"; expected the hello .*standard error$/,
    );
  });
});

describe('wire: answer to boot', () => {
  it('is {"ok":true}', () => {
    parseBooted('{"ok":true}\r');
    expect(() => parseBooted('{"ok":false}')).to.throw(
      /answered \{"ok":false\} to boot; expected \{"ok":true\}/,
    );
    expect(() => parseBooted('true')).to.throw(/it wrote "true"; expected \{"ok":true\}/);
  });
});

describe('wire: replies', () => {
  it('are values, errnos, or skipped, with the faults that fired and what is shown', () => {
    const list = [
      { ok: {} },
      { ok: { pfn: 3, pages: [1, 2] }, fired: ['page'], shown: { counter: [1, 0, 0, -1] } },
      { errno: 'ENOMEM', fired: [] },
      { errno: 'E2BIG' },
      'skipped',
    ];
    expect(parseReplies(replies(...list), list.length)).to.deep.equal(list);
  });

  it('are as many as calls', () => {
    const message = /^it gave 1 replies to a batch of 2 calls; expected 2; give one reply for each call/;
    expect(() => parseReplies(replies({ ok: {} }), 2)).to.throw(message);
    expect(() => parseReplies('{"ok":true}', 2)).to.throw(
      /answered \{"ok":true\} to a batch; expected \{"replies"/,
    );
  });

  const ILL: readonly [reply: unknown, message: RegExp][] = [
    [null, /^replies\[0\] is null; expected \{"ok":/],
    ['skip', /^replies\[0\] is "skip"; expected .*"skipped"/],
    [{}, /^replies\[0\] is \{\}; expected either ok or errno/],
    [{ ok: {}, errno: 'ENOMEM' }, /expected either ok or errno/],
    [{ ok: true }, /^replies\[0\]\.ok is true; expected an object/],
    [{ ok: [] }, /^replies\[0\]\.ok is \[\]/],
    [
      { ok: { pfn: '7' } },
      /^replies\[0\]\.ok\.pfn is "7"; expected a number or a list of numbers; correct the/,
    ],
    [{ ok: { pages: [1, null] } }, /^replies\[0\]\.ok\.pages is \[1,null\]/],
    [{ errno: -12 }, /^replies\[0\]\.errno is -12; expected a name in capital letters/],
    [{ errno: 'enomem' }, /^replies\[0\]\.errno is "enomem"/],
    [{ ok: {}, fired: 'page' }, /^replies\[0\]\.fired is "page"/],
    [{ ok: {}, shown: [1] }, /^replies\[0\]\.shown is \[1\]/],
    [{ ok: {}, shown: { counter: [0.5] } }, /^replies\[0\]\.shown\.counter is \[0\.5\]; expected .* 32 bits/],
    [{ ok: {}, shown: { counter: 3 } }, /^replies\[0\]\.shown\.counter is 3/],
    [
      { ok: {}, error: 1 },
      /^replies\[0\] has a field "error"; expected ok, errno, fired, shown; leave it out/,
    ],
  ];
  for (const [reply, message] of ILL) {
    it(`refuses ${JSON.stringify(reply)}`, () => {
      expect(() => parseReplies(replies(reply), 1)).to.throw(message);
    });
  }

  it('refuses a number beyond all doubles', () => {
    expect(() => parseReplies('{"replies":[{"ok":{"pfn":1e999}}]}', 1)).to.throw(/ok\.pfn is null/);
  });
});

describe('wire: its description', () => {
  const text = readFileSync(new URL('../../targets/PROTOCOL.md', import.meta.url), 'utf8');

  it('names every column, every counter in its place, and every kind of result', () => {
    const places = Object.keys(COUNTER).map((name) =>
      text.indexOf(`\`${name}\``, text.indexOf('Counters are')),
    );
    expect(places).to.deep.equal([...places].sort((a, b) => a - b));
    const names = [...VIEW_COLUMNS.map(({ name }) => name), ...Object.keys(COUNTER), ...Object.keys(KINDS)];
    expect(names.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([]);
  });
});
