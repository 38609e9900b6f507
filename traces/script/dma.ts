/** Events of the DMA API as commands: each device is in a domain of its own, each mapping is that of a table. */
import type { DeviceEvent, Direction, DmaMapEvent, DmaMapSgEvent, EventOf, TraceEvent } from '../event.ts';
import { Blocks } from './blocks.ts';
import { type Claim, type Draft, type IoPages, SPACES_MAX, type Teller } from './draft.ts';
import { addressOf, memoryOf, PAGE_BYTES } from './events.ts';
import type { Block, ScriptMemory } from './memory.ts';

/** Blocks that a table lists at the most. */
const LISTED_MAX = 4;
/** Tables that a machine has at the most. */
const TABLES_MAX = 1024;
/** No segment is cut for being too long. */
const SEGMENT_MAX = 2 ** 31;

/** No machine has so many. */
const NO_TABLE = 1_000_000;

/** A mapping, alive or not. */
interface Mapping {
  /** In the script; undefined where it has no room for it. */
  readonly names: { readonly mapping: string; readonly table: string } | undefined;
  readonly device: string;
  readonly dma: number;
  /** Of the first entry of a list; undefined where there is none. */
  readonly phys: number | undefined;
  readonly bytes: number;
  alive: boolean;
}

export class DmaTeller implements Teller {
  readonly #draft: Draft;
  readonly #blocks: Blocks;
  readonly #ioPages: IoPages;
  readonly #claim: Claim;
  /** Those that the machine has, by their numbers. */
  readonly #devices: readonly string[];
  /** Names of domains and attachments by device. */
  readonly #domains = new Map<string, string>();
  readonly #attached = new Map<string, string>();
  readonly #mappings: Mapping[] = [];
  tables = 0;

  constructor(
    draft: Draft,
    memory: ScriptMemory,
    ioPages: IoPages,
    claim: Claim,
    devices: readonly string[],
  ) {
    this.#claim = claim;
    this.#devices = devices.slice(0, SPACES_MAX);
    this.#draft = draft;
    this.#blocks = new Blocks(draft, memory);
    this.#ioPages = ioPages;
  }

  get spaces(): number {
    return this.#devices.length;
  }

  get devices(): number {
    return this.#devices.length;
  }

  tell(event: TraceEvent): void {
    const { kind, line } = event;
    if (kind === 'page-alloc') this.#blocks.allocated(event);
    else if (kind === 'page-free') this.#blocks.freed(event);
    else if (kind === 'dma-map' || kind === 'dma-map-sg') this.#map(event);
    else if (kind === 'dma-unmap')
      this.#unmap(line, ({ device, dma }) => device === event.device && dma === event.dma);
    else if (kind === 'dma-unmap-sg')
      this.#unmap(line, ({ device, phys }) => device === event.device && phys === event.physes[0]);
    else if (kind === 'dma-sync') this.#sync(event);
    else if (kind === 'detach' || kind === 'group-remove') this.#detach(event);
  }

  #map(event: DmaMapEvent | DmaMapSgEvent): void {
    const blocks = memoryOf(event).flatMap((frames) => this.#blocks.below(frames));
    const attachment = this.#attachment(event.device);
    const bytes = blocks.reduce((sum, { block }) => sum + block.count, 0) * PAGE_BYTES;
    const single = event.kind === 'dma-map';
    const known = {
      ...{ device: event.device, dma: addressOf(event), bytes: single ? event.size : bytes },
      ...{ phys: single ? event.phys : event.physes[0], alive: true },
    };
    if (attachment === undefined || blocks.length > LISTED_MAX || this.tables >= TABLES_MAX) {
      this.#draft.left += 1;
      this.#mappings.push({ ...known, names: undefined });
      return;
    }
    const number = this.tables;
    const table = this.#listOf(blocks);
    const name = this.#draft.name('mapping');
    const dma = this.#ioPages.addressOf(known.dma - (known.dma % PAGE_BYTES));
    const command = { op: 'dma_map_sg', device: attachment, table, direction: DIRECTIONS[event.direction] };
    this.#draft.add(event.line, { ...command, as: name }, { table: number, dma, segments: [dma, bytes] });
    this.#mappings.push({ ...known, names: { mapping: name, table } });
  }

  #listOf(blocks: readonly { readonly block: Block; readonly name: string }[]): string {
    const table = this.#draft.name('table');
    const command = { op: 'sg_alloc_table_from_pages', pages: blocks.map(({ name }) => name) };
    const segments = countRuns(blocks.map(({ block }) => block));
    this.#draft.add(0, { ...command, maxSegment: SEGMENT_MAX, as: table }, { table: this.tables, segments });
    this.tables += 1;
    return table;
  }

  /** What lives is meant before what is gone. */
  #find(isMeant: (mapping: Mapping) => boolean): Mapping | undefined {
    return (
      this.#mappings.findLast((mapping) => mapping.alive && isMeant(mapping)) ??
      this.#mappings.findLast(isMeant)
    );
  }

  /** The name of a mapping, or the number of one that there is not; undefined: it cannot be told. */
  #argument(mapping: Mapping | undefined): string | number | undefined {
    if (mapping === undefined && this.#claim.fromStart === true) return NO_TABLE;
    if (mapping?.names === undefined) this.#draft.left += 1;
    return mapping?.names?.mapping;
  }

  /** Drivers give the table back with the mapping. */
  #unmap(line: number, isMeant: (mapping: Mapping) => boolean): void {
    const found = this.#find(isMeant);
    const mapping = this.#argument(found);
    if (mapping !== undefined) this.#draft.add(line, { op: 'dma_unmap_sg', mapping }, { flushes: 0 });
    if (found?.alive !== true) return;
    found.alive = false;
    if (found.names !== undefined) this.#draft.add(0, { op: 'sg_free_table', table: found.names.table });
  }

  #sync({ line, toward, device, dmas }: EventOf<'dma-sync'>): void {
    const at = dmas[0] ?? 0;
    const mapping = this.#argument(
      this.#find((each) => each.device === device && each.dma <= at && at < each.dma + each.bytes),
    );
    if (mapping !== undefined) this.#draft.add(line, { op: `dma_sync_sg_for_${toward}`, mapping });
  }

  #detach({ line, device }: DeviceEvent): void {
    const attachment = this.#attached.get(device);
    if (attachment === undefined) {
      this.#draft.left += 1;
      return;
    }
    this.#draft.add(line, { op: 'iommu_detach_device', device: attachment });
    this.#attached.delete(device);
  }

  /** Undefined: the machine has no room for one more. */
  #attachment(device: string): string | undefined {
    const known = this.#attached.get(device);
    if (known !== undefined) return known;
    const number = this.#devices.indexOf(device);
    if (number < 0) return undefined;
    const domain = this.#domains.get(device) ?? this.#newDomain(device, number);
    const name = this.#draft.name('device');
    const command = { op: 'iommu_attach_device', domain, device: number, as: name };
    this.#draft.add(0, command, { device: this.spaces + number });
    this.#attached.set(device, name);
    return name;
  }

  #newDomain(device: string, number: number): string {
    const name = this.#draft.name('domain');
    this.#draft.add(0, { op: 'iommu_domain_alloc', type: 'dma', as: name }, { domain: number });
    this.#domains.set(device, name);
    return name;
  }
}

const DIRECTIONS: Readonly<Record<Direction, string>> = {
  BIDIRECTIONAL: 'bidirectional',
  TO_DEVICE: 'to_device',
  FROM_DEVICE: 'from_device',
  NONE: 'bidirectional',
};

/** Neighbours are one segment. */
const countRuns = (blocks: readonly Block[]): number =>
  blocks.filter((block, at) => {
    const before = blocks[at - 1];
    return before === undefined || before.pfn + before.count !== block.pfn;
  }).length;
