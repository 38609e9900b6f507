/** Events of the DMA API as commands: each device is in a domain of its own, each mapping is that of a table. */
import type { DeviceEvent, Direction, DmaMapEvent, DmaMapSgEvent, EventOf, TraceEvent } from './event.ts';
import { Blocks } from './script-blocks.ts';
import { type Draft, type IoPages, SPACES_MAX, type Teller } from './script-draft.ts';
import { addressOf, memoryOf, PAGE_BYTES } from './script-events.ts';
import type { Block, ScriptMemory } from './script-memory.ts';

/** Blocks that a table lists at the most. */
const LISTED_MAX = 4;
/** Tables that a machine has at the most. */
const TABLES_MAX = 1024;
/** No segment is cut for being too long. */
const SEGMENT_MAX = 2 ** 31;

/** A mapping, alive or not. */
interface Mapping {
  readonly name: string;
  readonly table: string;
  readonly device: string;
  readonly dma: number;
  readonly phys: number;
  readonly bytes: number;
  alive: boolean;
}

export class DmaTeller implements Teller {
  readonly #draft: Draft;
  readonly #blocks: Blocks;
  readonly #ioPages: IoPages;
  /** Those that the machine has, by their numbers. */
  readonly #devices: readonly string[];
  /** Names of domains and attachments by device. */
  readonly #domains = new Map<string, string>();
  readonly #attached = new Map<string, string>();
  readonly #mappings: Mapping[] = [];
  tables = 0;

  constructor(draft: Draft, memory: ScriptMemory, ioPages: IoPages, devices: readonly string[]) {
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
    if (attachment === undefined || blocks.length > LISTED_MAX || this.tables >= TABLES_MAX) {
      this.#draft.left += 1;
      return;
    }
    const number = this.tables;
    this.tables += 1;
    const [table, name] = [this.#draft.name('table'), this.#draft.name('mapping')];
    const list = {
      op: 'sg_alloc_table_from_pages',
      pages: blocks.map((each) => each.name),
      maxSegment: SEGMENT_MAX,
    };
    const segments = countRuns(blocks.map(({ block }) => block));
    this.#draft.add(0, { ...list, as: table }, { table: number, segments });
    const bytes = blocks.reduce((sum, { block }) => sum + block.count, 0) * PAGE_BYTES;
    const dma = this.#ioPages.addressOf(addressOf(event) - (addressOf(event) % PAGE_BYTES));
    const direction = DIRECTIONS[event.direction];
    this.#draft.add(
      event.line,
      { op: 'dma_map_sg', device: attachment, table, direction, as: name },
      { table: number, dma, segments: [dma, bytes] },
    );
    const phys = event.kind === 'dma-map' ? event.phys : (event.physes[0] ?? 0);
    const size = event.kind === 'dma-map' ? event.size : bytes;
    this.#mappings.push({
      name,
      table,
      device: event.device,
      dma: addressOf(event),
      phys,
      bytes: size,
      alive: true,
    });
  }

  /** What lives is meant before what is gone; what was never there has no name. */
  #find(isMeant: (mapping: Mapping) => boolean): Mapping | undefined {
    return (
      this.#mappings.findLast((mapping) => mapping.alive && isMeant(mapping)) ??
      this.#mappings.findLast(isMeant)
    );
  }

  /** Drivers give the table back with the mapping. */
  #unmap(line: number, isMeant: (mapping: Mapping) => boolean): void {
    const mapping = this.#find(isMeant);
    this.#draft.add(line, { op: 'dma_unmap_sg', mapping: mapping?.name ?? this.#nothing() }, { flushes: 0 });
    if (mapping?.alive !== true) return;
    mapping.alive = false;
    this.#draft.add(0, { op: 'sg_free_table', table: mapping.table });
  }

  #sync({ line, toward, device, dmas }: EventOf<'dma-sync'>): void {
    const dma = dmas[0] ?? 0;
    const mapping = this.#find(
      (each) => each.device === device && each.dma <= dma && dma < each.dma + each.bytes,
    );
    this.#draft.add(line, { op: `dma_sync_sg_for_${toward}`, mapping: mapping?.name ?? this.#nothing() });
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

  /** The number of a table that there is not. */
  #nothing(): number {
    return this.tables + 1_000_000;
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
