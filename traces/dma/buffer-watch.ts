/** Shared buffers: their attachments are mapped and unmapped in pairs, and detached before the buffer goes. */
import type { BufferEvent, OtherEvent, TraceEvent } from '../event.ts';
import type { Evidence, Subject } from '../finding.ts';
import type { Grade, Verdicts } from './verdicts.ts';

interface Attachment {
  readonly buffer: string;
  /** Calls of map that no unmap has undone, as far as they can be told from failed ones. */
  readonly maps: BufferEvent[];
  detached: BufferEvent | undefined;
}

/** Attachments and buffers that are remembered after their end. */
const REMEMBERED = 4096;
/** How long after `dma_buf_map_attachment` begins the exporter maps for the device, in nanoseconds. */
const INSIDE = 10_000_000;

export class BufferWatch {
  readonly #verdicts: Verdicts;
  readonly #attachments = new Latest<Attachment>();
  /** By task: the call of map that it is in. */
  readonly #inMap = new Map<number, BufferEvent>();
  /** By name of the device, where events name it: the attachment that was made last. */
  readonly #devices = new Map<string, BufferEvent>();
  /** What freed a buffer of which no new allocation was seen. */
  readonly #freed = new Latest<BufferEvent>();
  /** Some probes are not set, or sit in functions that the compiler has inlined. */
  #unmapsSeen = false;
  #lastAttach: BufferEvent | undefined;
  #last: BufferEvent | undefined;

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  /** Besides buffers, what is told of functions that failed. */
  on(event: BufferEvent | OtherEvent): void {
    if (event.kind === 'other') {
      if (event.name === 'kretprobe') this.#inMap.delete(event.pid);
    } else if (!this.#isCopy(event)) this.#buffer(event);
  }

  /** The attachment that a driver's mapping is made for: one that its task maps now, or one of its device. */
  attachmentOf(event: TraceEvent & { readonly device: string }): BufferEvent | undefined {
    const call = this.#inMap.get(event.pid);
    if (call === undefined) return this.#devices.get(event.device);
    this.#inMap.delete(event.pid);
    if (event.time - call.time > INSIDE) return undefined;
    this.#attachment(call).maps.push(call);
    return call;
  }

  /** The line is there twice. */
  #isCopy(event: BufferEvent): boolean {
    const last = this.#last;
    this.#last = event;
    if (last === undefined || last.time !== event.time || last.cpu !== event.cpu) return false;
    const { action, buffer, attachment, device, size } = last;
    const same = action === event.action && buffer === event.buffer && attachment === event.attachment;
    return same && device === event.device && size === event.size;
  }

  #buffer(event: BufferEvent): void {
    if (event.action !== 'mapped') this.#inMap.delete(event.pid);
    switch (event.action) {
      case 'attach':
        this.#lastAttach = event;
        if (event.device !== '') this.#devices.set(event.device, event);
        if (event.attachment !== '') this.#renew(event);
        break;
      case 'attached':
        this.#renew(event);
        break;
      case 'map':
        this.#inMap.set(event.pid, event);
        break;
      case 'mapped':
        this.#mapped(event);
        break;
      case 'unmap':
        this.#unmap(event);
        break;
      case 'detach':
        this.#detach(event);
        break;
      case 'destroy':
        this.#free(event);
        break;
      case 'create':
        this.#freed.delete(event.buffer);
        break;
      case 'stat':
        if ((event.size ?? 0) < 0) this.#free(event);
        else this.#freed.delete(event.buffer);
    }
  }

  #renew({ attachment, buffer }: BufferEvent): void {
    this.#attachments.set(attachment, { buffer, maps: [], detached: undefined });
  }

  /** What an attachment is mapped by, unless it has to be taken for a new one at the same place. */
  #attachment({ attachment, buffer }: BufferEvent): Attachment {
    const known = this.#attachments.get(attachment);
    if (known !== undefined && known.detached === undefined) return known;
    const fresh: Attachment = { buffer, maps: [], detached: undefined };
    this.#attachments.set(attachment, fresh);
    return fresh;
  }

  #mapped(event: BufferEvent): void {
    const call = this.#inMap.get(event.pid);
    this.#inMap.delete(event.pid);
    if (call !== undefined) this.#attachment(call).maps.push(call);
  }

  #unmap(event: BufferEvent): void {
    const { maps } = this.#attachment(event);
    if (maps.length > 0) this.#unmapsSeen = true;
    maps.shift();
  }

  #detach(event: BufferEvent): void {
    this.#devices.delete(event.device);
    const known = this.#attachments.get(event.attachment);
    if (known?.detached !== undefined) this.#again(known.detached, event);
    const [left] = known?.maps ?? [];
    if (left !== undefined) {
      const text = `attachment ${event.attachment} is detached while it is mapped`;
      const since = [
        { role: 'mapped here', event: left },
        { role: 'detached here', event },
      ];
      this.#tell(text, subjectOf(event), since, this.#unmapsSeen);
    }
    this.#attachments.set(event.attachment, { buffer: event.buffer, maps: [], detached: event });
  }

  /** The same place in memory may hold a new attachment, if there was one. */
  #again(before: BufferEvent, event: BufferEvent): void {
    const renewed = this.#lastAttach !== undefined && this.#lastAttach.line > before.line;
    if (renewed || this.#lastAttach === undefined) return;
    const text = `attachment ${event.attachment} is detached twice`;
    const both = [
      { role: 'detached here', event: before },
      { role: 'detached again', event },
    ];
    this.#tell(text, subjectOf(event), both, true);
  }

  #free(event: BufferEvent): void {
    if (event.buffer === '') return;
    const before = this.#freed.get(event.buffer);
    this.#freed.set(event.buffer, event);
    if (before === undefined) return;
    const both = [
      { role: 'freed here', event: before },
      { role: 'freed again', event },
    ];
    this.#tell(`buffer ${event.buffer} is freed twice`, subjectOf(event), both, true);
  }

  #tell(text: string, subject: Subject, evidence: readonly Evidence[], sees: boolean): void {
    const grade: Grade = {
      confidence: sees ? 'likely' : 'possible',
      assumptions: ['nothing-lost'],
      since: evidence[0]?.event.time ?? 0,
    };
    this.#verdicts.add(grade, { check: 'buffer-unbalanced', text, subject, evidence });
  }
}

const subjectOf = ({ device }: BufferEvent): Subject => (device === '' ? {} : { device });

/**
 * What was set last, by name: of names that were not set again, at least as many as are remembered and at most twice
 * as many. Deleting the oldest one by one would leave holes in a map, which it takes long to look past.
 */
class Latest<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  get(name: string): V | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  set(name: string, value: V): void {
    this.#young.set(name, value);
    if (this.#young.size < REMEMBERED) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }
}
