import { expect } from 'chai';
import * as fc from 'fast-check';
import { SPEC } from '../model/index.ts';
import { scripts } from '../properties/index.ts';
import { type Case, readCase, writeCase } from './index.ts';

const CASE: Case = {
  format: 1,
  title: 'an unbound page stays reachable',
  property: { name: 'lockstep' },
  target: 'builtin',
  found: { seed: 1, index: 7 },
  finding: { kind: 'reply', serves: 'I1', clause: 'a', layer: 'gpu', detail: 'b', command: 1 },
  expect: { builtin: 'holds' },
  script: {
    format: 1,
    machine: { policies: { contexts: 'shared' }, pages: 8, occupied: [[0, 2]] },
    commands: [
      { as: 'alice', op: 'ion_client_create' },
      {
        op: 'ion_alloc',
        heaps: ['iommu'],
        flags: 'uncached',
        as: 'h',
        client: 'alice',
        bytes: 64,
        fail: { page: 1 },
      },
    ],
  },
};

/** The arguments of its allocation, in the order of the table. */
const ASKED = '"bytes": 64, "heaps": ["iommu"], "flags": "uncached"';

const GOLDEN = `{
  "format": 1,
  "title": "an unbound page stays reachable",
  "property": { "name": "lockstep" },
  "target": "builtin",
  "found": { "seed": 1, "index": 7 },
  "finding": { "kind": "reply", "serves": "I1", "clause": "a", "layer": "gpu", "detail": "b", "command": 1 },
  "expect": { "builtin": "holds" },
  "script": {
    "machine": { "pages": 8, "policies": { "contexts": "shared" }, "occupied": [[0, 2]] },
    "commands": [
      { "op": "ion_client_create", "as": "alice" },
      { "op": "ion_alloc", "client": "alice", ${ASKED}, "as": "h", "fail": { "page": 1 } }
    ]
  }
}
`;

describe('a case as text', function () {
  this.timeout(20_000);

  it('is the same text for the same case, one command a line', () => {
    expect(writeCase(CASE)).to.equal(GOLDEN);
  });

  it('is read as the case that was written', () => {
    expect(readCase(GOLDEN, 'x.json')).to.deep.equal(CASE);
  });

  it('keeps every generated script', () => {
    fc.assert(
      fc.property(scripts(SPEC), (script) => {
        const text = writeCase({ ...CASE, script });
        const read = readCase(text, 'x.json');
        expect(read.script).to.deep.equal(script);
        expect(writeCase(read)).to.equal(text);
        expect(readCase(JSON.stringify(script), 'x.json').script).to.deep.equal(script);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps which client, and which fault, a pair of runs is about', () => {
    const properties: readonly Case['property'][] = [
      { name: 'noninterference', client: 'alice' },
      { name: 'fault', command: 1, site: 'page', n: 2 },
      { name: 'duty' },
    ];
    for (const property of properties) {
      const pair: Case = { ...CASE, property };
      expect(readCase(writeCase(pair), 'x.json')).to.deep.equal(pair);
    }
    const read = (property: object) => () => readCase(JSON.stringify({ ...CASE, property }), 'x.json');
    expect(read({ name: 'noninterference' })).to.throw('property.client: expected a name, got nothing');
    expect(read({ name: 'fault', command: 1, site: 'pag', n: 1 })).to.throw(
      'property.site: expected one of page,',
    );
    expect(read({ name: 'fault', command: 1, site: 'page', n: 0 })).to.throw(
      'property.n: expected a count from 1',
    );
  });

  it('keeps whether a shorter script shows it, and what kept one from being searched for', () => {
    const certificates: readonly Case['certificate'][] = [
      { result: 'proven', states: 1204 },
      { result: 'undecided', states: 100_000 },
      { result: 'undecided', states: 0, reason: 'pairs of runs are not searched' },
    ];
    for (const certificate of certificates) {
      const known: Case = { ...CASE, ...(certificate === undefined ? {} : { certificate }) };
      expect(readCase(writeCase(known), 'x.json')).to.deep.equal(known);
    }
    const read = (certificate: object) => () => readCase(JSON.stringify({ ...CASE, certificate }), 'x.json');
    expect(read({ result: 'believed', states: 1 })).to.throw(
      'certificate.result: expected proven or undecided',
    );
    expect(read({ result: 'proven', states: -1 })).to.throw(
      'certificate.states: expected a number of states',
    );
  });

  it('keeps a schedule, and reads a verdict', () => {
    const schedule = [{ in: 'h', point: 1, to: 'bob' }];
    const verdict: Case = {
      ...CASE,
      property: { name: 'verdict', policy: 'contexts', premise: 'T1' },
      expect: { shared: 'broken' },
      script: { ...CASE.script, schedule },
    };
    expect(readCase(writeCase(verdict), 'x.json')).to.deep.equal(verdict);
  });
});
