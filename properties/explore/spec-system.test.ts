import { expect } from 'chai';
import {
  type Args,
  type Machine,
  type Rule,
  SPEC,
  type Spec,
  type Value,
  type World,
} from '../../model/index.ts';
import type { Scope } from './scope.ts';
import { exploreSpec, type SpecExplored } from './spec-explore.ts';
import type { SpecReport } from './spec-report.ts';
import { SpecSystem } from './spec-system.ts';

/** All of a scope, or up to its finding. */
function searched(spec: Spec<Machine, World>, scope: Scope): SpecExplored {
  const explored = exploreSpec(spec, scope);
  expect(explored.ending).to.equal(explored.found === undefined ? 'complete' : 'found');
  return explored;
}

const withRule = (
  op: string,
  change: (rule: Rule<World, Args, Value>) => Partial<Rule<World, Args, Value>>,
) => {
  const rule = SPEC.rules[op] ?? expect.fail(`${op} has no rule`);
  return { ...SPEC, rules: { ...SPEC.rules, [op]: { ...rule, ...change(rule) } } };
};

const PAGES: Scope = {
  machine: { pages: 4, orderMax: 2, vmallocPages: 2 },
  only: ['alloc_pages', 'free_pages'],
  few: 3,
  depth: 99,
};

const CLIENTS: Scope = {
  machine: { pages: 2, vmallocPages: 2, clients: 3 },
  only: ['ion_client_create', 'ion_client_destroy'],
  depth: 99,
};

const DOMAINS: Scope = {
  machine: { pages: 2, orderMax: 0, vmallocPages: 2, ioBits: 8, contexts: 1, devices: 1 },
  only: ['alloc_pages', 'free_pages', 'iommu_domain_alloc', 'iommu_domain_free', 'iommu_map', 'iommu_unmap'],
  depth: 99,
};

const NOTHING: SpecReport = { choosing: [], barren: [], unasked: [], cut: [] };

describe('a specification alone', () => {
  it('has every way of splitting four pages, whichever is taken', () => {
    const { report, states } = searched(SPEC, PAGES);
    expect(states, 'f(0) = 2, f(k) = 1 + f(k - 1)^2').to.equal(26);
    expect(report).to.deep.equal(NOTHING);
  });

  it('has two devices in two domains in every way', () => {
    const only = ['iommu_domain_alloc', 'iommu_domain_free', 'iommu_attach_device', 'iommu_detach_device'];
    const machine = { pages: 4, vmallocPages: 2, ioBits: 8, contexts: 2, devices: 2 };
    const { states } = searched(SPEC, { machine, only, few: 2, depth: 99 });
    expect(states, 'of two types, each device in one of them or none').to.equal(
      1 + 2 * 2 * 2 ** 2 + 2 ** 2 * 3 ** 2,
    );
  });

  it('reads the numbers that may have been written, and one that stands for all others', () => {
    const machine = { pages: 1, orderMax: 0, vmallocPages: 2, pageBytes: 64, lineBytes: 64 };
    const scope = { machine, only: ['alloc_pages', 'cpu_read'], depth: 2 };
    const { counts } = exploreSpec(SPEC, scope);
    expect(counts['cpu_read']?.most, '0 and another').to.equal(2);
    const writing = exploreSpec(SPEC, { ...scope, only: [...scope.only, 'cpu_write'], few: 2 });
    expect(writing.counts['cpu_read']?.most, '0, 1, 2 and another').to.equal(4);
    const large = exploreSpec(SPEC, { ...scope, values: { alloc_pages: { order: [0, 60] } } });
    expect(large.counts['cpu_read']?.most, 'other numbers do not matter').to.equal(2);
  });

  it('has every set of clients', () => {
    // Three of them, in or out; a set of n may grow by 3 - n, may not, may lose n, or name one that is not there.
    expect(searched(SPEC, CLIENTS)).to.deep.include({ states: 8, report: NOTHING });
  });

  it('needs one state of those that differ in names alone', () => {
    for (const scope of [PAGES, CLIENTS, DOMAINS]) {
      const all = searched(SPEC, scope);
      const { states, symmetry, report } = searched(SPEC, { ...scope, symmetry: true });
      expect(states).to.be.at.most(all.states);
      expect(symmetry?.standsFor).to.equal(all.states);
      expect(report).to.deep.equal(all.report);
    }
    expect(searched(SPEC, { ...CLIENTS, symmetry: true }).states, 'how many there are').to.equal(4);
  });

  it('goes back to where it was', () => {
    const system = new SpecSystem(SPEC, PAGES);
    const [words, print] = [system.world.state.words.join(), system.fingerprint()];
    const count = system.count();
    for (let move = 0; move < count; move++) {
      system.make(move);
      system.make(0);
      system.back();
      system.back();
    }
    expect(system.world.state.words.join()).to.equal(words);
    expect(system.fingerprint()).to.deep.equal(print);
    expect(system.count()).to.equal(count);
  });

  it('counts replies once a state', () => {
    const system = new SpecSystem(SPEC, CLIENTS);
    system.move(0);
    expect(system.counts).to.deep.equal({});
    system.count();
    expect(system.counts['ion_client_create']).to.deep.equal({
      asked: 1,
      refused: 0,
      answered: 1,
      cut: 0,
      least: 7,
      most: 7,
      choices: { client: { calls: 1, most: 3 } },
    });
  });

  it('names the rule that leaves an implementation no choice', () => {
    const lowest = withRule('alloc_pages', ({ accept }) => ({
      accept: [
        ...accept,
        [
          'the lowest block',
          ({ kind }, { order }, { pfn }) =>
            kind.values.findIndex((held, page) => held === 0 && page % 2 ** Number(order) === 0) === pfn,
          'P1',
        ],
      ],
    }));
    const { report } = searched(lowest, { ...PAGES, few: 1 });
    expect(report.choosing.map(({ op, field }) => `${op} ${field}`)).to.deep.equal(['alloc_pages pfn']);
    expect(report.choosing[0]?.calls, 'where at least two pages are left').to.equal(1 + 4 + 6);
  });

  it('says nothing of a choice where the machine leaves none', () => {
    const { report } = searched(SPEC, { ...CLIENTS, machine: { ...CLIENTS.machine, clients: 1 } });
    expect(report.choosing).to.deep.equal([]);
  });

  it('finds the call that no reply answers', () => {
    const contradicting = withRule('ion_client_create', ({ accept }) => ({
      accept: [
        ...accept,
        ['an id that is in use', (s, _args, { client }) => s.client.values[Number(client)] === 1, 'C5'],
      ],
    }));
    const { found } = searched(contradicting, CLIENTS);
    const finding = found?.finding;
    expect(finding).to.include({ kind: 'specification', clause: 'no reply', serves: 'P1', command: 0 });
    expect(finding?.call).to.deep.equal({ op: 'ion_client_create', args: {} });
  });

  it('names the call that only errnos answer, where none is owed', () => {
    const contradicting = withRule('alloc_pages', ({ accept }) => ({
      accept: [
        ...accept,
        ['a block that is allocated', (s, _args, { pfn }) => s.size.get(Number(pfn)) > 0, 'C1'],
      ],
    }));
    const { report, states } = searched(contradicting, PAGES);
    expect(states).to.equal(1);
    expect(report).to.deep.equal({
      ...NOTHING,
      barren: [{ op: 'alloc_pages', calls: 3 }],
      unasked: ['free_pages'],
    });
  });

  it('finds the effect that breaks an invariant of its own', () => {
    const careless = withRule('free_pages', ({ require: [exists] }) => ({ require: exists ? [exists] : [] }));
    expect(searched(SPEC, DOMAINS).found).to.equal(undefined);
    const { found } = searched(careless, DOMAINS);
    expect(found?.finding).to.include({ kind: 'specification', serves: 'I2', command: 3 });
    expect(found?.moves.map(({ call }) => call.op)).to.deep.equal([
      'alloc_pages',
      'iommu_domain_alloc',
      'iommu_map',
      'free_pages',
    ]);
    expect(found?.moves[2]?.reply).to.deep.equal({ ok: { iova: 0 } });
  });

  it('finds the effect that leaves something behind', () => {
    const forgetful = withRule('iommu_domain_free', () => ({
      effect: (s, { domain }) => s.context.set(Number(domain), 0),
    }));
    const { found } = searched(forgetful, DOMAINS);
    expect(found?.finding).to.include({
      kind: 'specification',
      serves: 'C3',
      clause: 'end',
      detail: 'everything was given back, and kind[0] is a block',
    });
    expect(found?.moves.map(({ call }) => call.op).at(-1)).to.equal('iommu_map');
    expect(searched(forgetful, { ...DOMAINS, closes: false }).found, 'nothing else shows it').to.equal(
      undefined,
    );
  });

  it('names the rules that it could not ask', () => {
    expect(searched(SPEC, { ...PAGES, only: ['free_pages', 'drain'] }).report.unasked).to.deep.equal([
      'free_pages',
    ]);
  });
});
