import { expect } from 'chai';
import { type Args, type Reply, SPEC, type Value } from '../../model/index.ts';
import { CLOAKROOM, Cloakroom } from '../cloakroom.test.ts';
import { runExplained, runScript } from '../drive.ts';
import { describe as sentence } from '../finding.ts';
import { Judgement, Lockstep } from '../lockstep.ts';
import { machineOf } from '../machine.ts';
import type { Script, ScriptMachine } from '../script.ts';
import { Stepper } from '../stepper.ts';
import { firstRows, noCounts } from '../tally.ts';

/** What is allowed after some effects on a machine. */
function allowed(
  machine: ScriptMachine,
  before: readonly (readonly [op: string, args: Args, value: Value])[],
  op: string,
  args: Args,
  { reply = { errno: 'EIO' }, pageNumbers = true }: { reply?: Reply; pageNumbers?: boolean } = {},
): string {
  const capabilities = new Set(pageNumbers ? (['page-numbers'] as const) : []);
  const judgement = new Judgement(SPEC, capabilities, noCounts(firstRows(SPEC).rows));
  const lockstep = new Lockstep(judgement, machineOf(SPEC, machine));
  for (const [name, given, value] of before) SPEC.rules[name]?.effect(lockstep.world, given, value);
  return lockstep.allowed({ op, args }, reply);
}

const CLIENT = ['ion_client_create', {}, { client: 0 }] as const;
const ALLOC = { client: 0, bytes: 128, heaps: ['iommu'], flags: 'cached' };

describe('what is allowed', () => {
  it('is every value in words, and every errno', () => {
    const used = [0, 2].map((pfn) => ['alloc_pages', { order: 0 }, { pfn }] as const);
    expect(allowed({ pages: 8 }, used, 'alloc_pages', { order: 0 })).to.equal('pfn 1 or 3 to 7; or ENOMEM');
    expect(allowed({ pages: 8 }, used, 'alloc_pages', { order: 1 })).to.equal('pfn 4 or 6; or ENOMEM');
    expect(allowed({ pages: 64 }, [], 'alloc_pages', { order: 2 })).to.equal('pfn 0 to 60 by 4; or ENOMEM');
  });

  it('is an errno alone where one is owed', () => {
    expect(allowed({}, [], 'alloc_pages', { order: 60 })).to.equal('EINVAL');
    expect(
      allowed({}, [], 'alloc_pages', { order: -1 }, { reply: { errno: 'EIO', fired: ['page'] } }),
    ).to.equal('EINVAL or ENOMEM');
  });

  it('is told field by field where any value goes with any', () => {
    const machine = { pages: 3, handles: 2 };
    expect(allowed(machine, [CLIENT], 'ion_alloc', ALLOC)).to.equal(
      'handle 1 or 2, pages [0 1], [0 2], [1 0], [1 2] or 2 more; or ENOMEM',
    );
    expect(allowed({ clients: 1 }, [], 'ion_client_create', {})).to.equal('client 0');
  });

  it('is told value by value where it depends', () => {
    const table = [
      'sg_alloc_table_from_pages',
      { pages: [0], maxSegment: 64 },
      { table: 0, segments: 1 },
    ] as const;
    const before = [
      ['alloc_pages', { order: 0 }, { pfn: 0 }],
      table,
      ['iommu_domain_alloc', { type: 'dma' }, { domain: 0 }],
      ['iommu_attach_device', { domain: 0, device: 0 }, { device: 1 }],
    ] as const;
    const machine = { pages: 2, orderMax: 0, ioBits: 8, contexts: 1, sgTables: 1 };
    const args = { device: 1, table: 0, direction: 'to_device' };
    expect(allowed(machine, before, 'dma_map_sg', args)).to.equal(
      '(table 0, dma 64, segments [64 64]) or (table 0, dma 128, segments [128 64]); or ENOMEM',
    );
  });

  it('names the rows where there are too many values', () => {
    expect(allowed({ pages: 64 }, [CLIENT], 'ion_alloc', { ...ALLOC, bytes: 256 })).to.equal(
      'a value as follows: an id that is not in use; as many pages as were asked for; ' +
        'pages that nobody holds, each once; one aligned block where only that will do; or ENOMEM',
    );
  });

  it('is what one field must be, if the others are right', () => {
    const reply = { ok: { handle: 9, pages: [3, 1, 5, 7] } };
    expect(allowed({ pages: 64 }, [CLIENT], 'ion_alloc', { ...ALLOC, bytes: 256 }, { reply })).to.equal(
      'handle 1 to 8, and the rest as replied; or ENOMEM',
    );
  });

  it('says nothing of pages where they have no numbers', () => {
    const options = { pageNumbers: false };
    expect(allowed({ handles: 2 }, [CLIENT], 'ion_alloc', ALLOC, options)).to.equal(
      'handle 1 or 2; or ENOMEM',
    );
    expect(allowed({}, [], 'alloc_pages', { order: 0 }, options)).to.equal('success; or ENOMEM');
  });

  it('is success for a call that gives nothing', () => {
    expect(allowed({}, [], 'drain', {})).to.equal('success');
  });

  it('is said with a finding where somebody asks', () => {
    class Stubborn extends Cloakroom {
      override hang(): Reply {
        this.coats[1] = 1;
        return { ok: { ticket: 1 } };
      }
    }
    const hang = { op: 'hang', colour: 1 };
    const script: Script = { format: 1, machine: { hooks: 4 }, commands: [hang, hang] };
    const stepper = new Stepper(CLOAKROOM, new Stubborn());
    const finding = runExplained(stepper, new Stubborn(), script);
    expect(finding).to.include({ kind: 'reply', allowed: 'ticket 0, 2 or 3' });
    expect(finding && sentence(finding)).to.match(
      /^hang\(colour 1\): FREE broken: .*\nallowed: ticket 0, 2 or 3$/,
    );
    expect(runScript(stepper, new Stubborn(), script)).to.not.have.property('allowed');
  });

  it('is not said of what no reply is to blame for', () => {
    class Miscounting extends Cloakroom {
      override observe(view: Parameters<Cloakroom['observe']>[0]): void {
        super.observe(view);
        view.columns[1]?.fill(7);
      }
    }
    const script: Script = { format: 1, machine: {}, commands: [{ op: 'hang', colour: 1 }] };
    const finding = runExplained(new Stepper(CLOAKROOM, new Miscounting()), new Miscounting(), script);
    expect(finding).to.include({ kind: 'invariant' }).and.not.have.property('allowed');
  });
});
