import { expect } from 'chai';
import * as fc from 'fast-check';
import { CaseError, readCase, writeCase } from './index.ts';

const GOLDEN = writeCase({
  format: 1,
  title: 'a small case',
  property: { name: 'lockstep' },
  script: { format: 1, machine: { pages: 8 }, commands: [{ op: 'ion_client_create', as: 'alice' }] },
});

/** The message of the error that reading a text ends with; any other error fails the test. */
function problemOf(text: string): string {
  try {
    readCase(text, 'x.json');
  } catch (cause) {
    if (!(cause instanceof CaseError)) throw cause;
    expect(cause.message, 'one line').not.to.match(/[\r\n]/);
    return cause.message;
  }
  return 'read';
}

const withCommand = (command: unknown): string =>
  JSON.stringify({ format: 1, machine: {}, commands: [{ op: 'ion_client_create', as: 'c' }, command] });

const withMachine = (machine: unknown): string => JSON.stringify({ format: 1, machine, commands: [] });

const withProperty = (property: object, more: object = {}, machine: object = {}): string =>
  JSON.stringify({
    ...{ format: 1, title: 't', property, ...more },
    script: {
      machine,
      commands: [
        { op: 'alloc_pages', order: 0, as: 'b' },
        { op: 'ion_client_create', as: 'c' },
      ],
    },
  });

const VERDICT = { name: 'verdict', policy: 'contexts', premise: 'T1' };

describe('a property that its script cannot be asked for', () => {
  const wrong: readonly (readonly [text: string, problem: string])[] = [
    [
      withProperty({ name: 'fault', command: 2, site: 'page', n: 1 }),
      'property.command: expected the index of one of 2 commands, got 2',
    ],
    [
      JSON.stringify({
        ...{ format: 1, title: 't', property: { name: 'duty' } },
        script: {
          machine: {},
          commands: [{ op: 'alloc_pages', order: 0, as: 'b' }],
          schedule: [{ in: 'b', point: 1, to: 'x' }],
        },
      }),
      'script.schedule: expected none: whose duty it was depends on the order',
    ],
    [
      withProperty({ name: 'noninterference', client: 'nobody' }),
      'property.client: expected the name of a client, got "nobody"',
    ],
    [
      withProperty({ name: 'noninterference', client: 'b' }),
      'property.client: expected the name of a client, got "b"',
    ],
    [
      withProperty({ name: 'noninterference', client: 'c' }, {}, { policies: { invalidation: 'lazy' } }),
      'script.machine.policies.invalidation: expected strict, with which alone noninterference is asked, got "lazy"',
    ],
    [
      withProperty(VERDICT, { expect: { shared: 'broken', sausage: 'holds' } }),
      'expect: expected values of contexts: per-client, shared; got "sausage"',
    ],
    [
      withProperty(VERDICT, { expect: {} }),
      'expect: expected values of contexts: per-client, shared; got nothing',
    ],
  ];
  for (const [text, problem] of wrong) {
    it(problem, () => expect(problemOf(text)).to.equal(`x.json: ${problem}`));
  }

  it('is told apart from one that it can', () => {
    expect(problemOf(withProperty({ name: 'fault', command: 1, site: 'page', n: 1 }))).to.equal('read');
    expect(problemOf(withProperty({ name: 'noninterference', client: 'c' }))).to.equal('read');
    expect(problemOf(withProperty(VERDICT, { expect: { shared: 'broken' } }))).to.equal('read');
    expect(problemOf(withProperty(VERDICT))).to.equal('read');
  });
});

describe('a text that is no case', function () {
  this.timeout(20_000);

  const wrong: readonly (readonly [text: string, problem: string])[] = [
    ['', 'x.json: not JSON: Unexpected end of JSON input'],
    ['3', 'x.json: expected a case or a script: an object'],
    ['[]', 'x.json: expected a case or a script: an object'],
    ['{}', 'x.json: format: expected a format number, up to 1'],
    ['{"format":7}', 'x.json: format 7 is newer than this ionclad, which reads up to 1'],
    ['['.repeat(101), 'x.json: brackets are nested more than 100 deep'],
    ['{"format":1}', 'x.json: machine: expected an object, got nothing'],
    ['{"format":1,"machine":{}}', 'x.json: commands: expected a list of commands, got nothing'],
    [withCommand(5), 'x.json: commands[1]: expected a command, got 5'],
    [
      withCommand({ op: 'ion_aloc' }),
      'x.json: commands[1].op: expected the name of a call (did you mean ion_alloc?), got "ion_aloc"',
    ],
    [
      withCommand({ op: 'ion_free', client: 'c', handle: true }),
      'x.json: commands[1].handle: expected a name or a number, got true',
    ],
    [
      withCommand({ op: 'ion_free', client: 'c' }),
      'x.json: commands[1].handle: expected a name or a number, got nothing',
    ],
    [
      withCommand({ op: 'ion_free', client: 'c', handel: 1, handle: 1 }),
      'x.json: commands[1].handel: there is no such field (did you mean handle?)',
    ],
    [withCommand({ op: 'alloc_pages', order: 1.5 }), 'x.json: commands[1].order: expected a number, got 1.5'],
    [
      withCommand({ op: 'alloc_pages', order: 2 ** 53 }),
      'x.json: commands[1].order: beyond 2^53 - 1 a number cannot be exact in JSON: write it as "0x…"',
    ],
    [
      withCommand({ op: 'alloc_pages', order: '0x10000000000000000' }),
      'x.json: commands[1].order: expected a number, got "0x10000000000000000"',
    ],
    [
      withCommand({ op: 'ion_free', client: 'c.constructor', handle: 1 }),
      'x.json: commands[1].client: expected a name or a number, got "c.constructor"',
    ],
    [withCommand({ op: 'ion_client_create', as: 'c' }), 'x.json: commands[1].as: "c" is taken'],
    [
      withCommand({ op: 'free_pages', block: 'c' }),
      'x.json: commands[1].block: "c" is a client, expected is a block',
    ],
    [
      withMachine({ pages: 1e9 }),
      'x.json: machine.pages: expected an integer from 1 to 4194304, got 1000000000',
    ],
    [
      withMachine({ lineBytes: 24 }),
      'x.json: machine.lineBytes: expected a power of two from 8 to 65536, got 24',
    ],
    [withMachine({ lineBytes: 128 }), 'x.json: machine: lineBytes 128 is more than pageBytes 64'],
    [
      withMachine({ policies: { layout: 'scatered' } }),
      'x.json: machine.policies.layout: expected one of scattered, contiguous (did you mean scattered?), ' +
        'got "scatered"',
    ],
  ];
  for (const [text, problem] of wrong) {
    it(problem, () => expect(problemOf(text)).to.equal(problem));
  }

  it('may carry a byte order mark, and literals', () => {
    const literal = withCommand({
      op: 'ion_alloc',
      client: 'c',
      bytes: '0xFFFFFFFFFFFFFFFF',
      heaps: [],
      flags: 'cached',
    });
    expect(problemOf(`\uFEFF${literal}`)).to.equal('read');
  });

  it('is refused when a name of JavaScript stands where a field is expected', () => {
    expect(problemOf('{"format":1,"machine":{"__proto__":{"pages":3}},"commands":[]}')).to.include(
      '__proto__',
    );
    expect(problemOf(withCommand({ op: 'constructor' }))).to.include('the name of a call');
  });

  it('is refused when it has too many commands or is too long', () => {
    const commands = new Array(10_001).fill({ op: 'ion_client_create' });
    expect(problemOf(JSON.stringify({ format: 1, machine: {}, commands }))).to.include(
      'at most 10000 commands',
    );
    expect(problemOf(' '.repeat(64 * 1024 * 1024 + 1))).to.equal('x.json: more than 64 MiB of text');
  });

  it('is never anything but the one error', () => {
    const cut = fc.nat({ max: GOLDEN.length }).map((length) => GOLDEN.slice(0, length));
    const changed = fc.tuple(fc.nat({ max: GOLDEN.length }), fc.string()).map(([at, text]) => {
      return GOLDEN.slice(0, at) + text + GOLDEN.slice(at + text.length);
    });
    const script = fc.record({ format: fc.constant(1), machine: fc.jsonValue(), commands: fc.jsonValue() });
    const any = fc.oneof(
      fc.string(),
      fc.json(),
      cut,
      changed,
      script.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(any, (text) => void problemOf(text)),
      { numRuns: 500 },
    );
  });
});
