/**
 * Findings that wait for what the rest of the trace says: an unmap that comes later proves that the mapping was there,
 * and a mark of lost events may excuse what happened before it.
 */
import type { AssumptionName, CheckName } from '../checks.ts';
import type { LostEvent, TraceEvent } from '../event.ts';
import type { Confidence, Evidence, Subject } from '../finding.ts';
import type { Findings } from '../findings.ts';
import type { Mapping } from '../mapping.ts';

/** How many wait at once; the oldest is told as it stands when there are more. */
const WAITING_MAX = 4096;

/** Events that are shown of one suspicion. */
const EVIDENCE_MAX = 8;

/** Nanoseconds that the clocks of two CPUs may differ by. */
const SKEW = 10_000;

export interface Suspicion {
  readonly check: CheckName;
  readonly mapping: Mapping;
  /** What broke the rule. */
  readonly event: TraceEvent;
  /** What made it wrong, if it is not the birth of the mapping: in the other order it would be right. */
  readonly after?: TraceEvent;
  readonly text: string;
  readonly subject: Subject;
  /** Roles and events up to here, in the order of time. */
  readonly evidence: readonly Evidence[];
  /** An unmap of the mapping that comes later is a proof. */
  readonly provable: boolean;
}

interface Waiting extends Suspicion {
  readonly shown: Evidence[];
  /** Events are missing between the mapping's birth and this. */
  lossy: boolean;
  /** In another order the events would be innocent, and they are so close that it may be the true one. */
  close: boolean;
  proven: boolean;
}

export class Suspicions {
  readonly #findings: Findings;
  readonly #waiting = new Map<Mapping, Waiting>();
  /** By CPU. */
  readonly #lastOf: TraceEvent[] = [];
  #last: TraceEvent | undefined;
  #lastLoss = Number.NEGATIVE_INFINITY;
  readonly #recordsEnds: (mapping: Mapping) => boolean;

  /** @param recordsEnds - whether unmaps of mappings such as this one are recorded at all */
  constructor(findings: Findings, recordsEnds: (mapping: Mapping) => boolean) {
    this.#findings = findings;
    this.#recordsEnds = recordsEnds;
  }

  /** Called for each event before it is judged. */
  seen(event: TraceEvent): void {
    if (event.kind === 'lost') this.#lost(event);
    this.#lastOf[event.cpu] = event;
    this.#last = event;
  }

  /** Nanoseconds, of the last event. */
  get now(): number {
    return this.#last?.time ?? 0;
  }

  /** Whether events are missing since a mapping's birth. */
  lossSince({ born }: Mapping): boolean {
    return born.time <= this.#lastLoss;
  }

  /** Whether a mapping is suspected; once is enough, what else is wrong with it follows from that. */
  has(mapping: Mapping): boolean {
    return this.#waiting.has(mapping);
  }

  add(suspicion: Suspicion): void {
    const { mapping, event } = suspicion;
    if (this.#waiting.has(mapping)) return;
    // One that an earlier loss left behind may have taken the unmap that was meant for a doubtful one.
    const lossy = this.lossSince(mapping) || (mapping.doubtful && this.#lastLoss > Number.NEGATIVE_INFINITY);
    const close = areClose(suspicion.after ?? mapping.born, event);
    this.#waiting.set(mapping, { ...suspicion, shown: [...suspicion.evidence], lossy, close, proven: false });
    if (this.#waiting.size > WAITING_MAX) this.#tellOldest();
  }

  /** More that shows the same, such as the page being handed out after it was freed. */
  show(mapping: Mapping, role: string, event: TraceEvent): void {
    const waiting = this.#waiting.get(mapping);
    if (waiting === undefined || waiting.shown.length >= EVIDENCE_MAX) return;
    if (waiting.shown.at(-1)?.event !== event) waiting.shown.push({ role, event });
  }

  /** A mapping that was suspected is unmapped, and nothing else can have been meant: it was there all the time. */
  proven(mapping: Mapping, event: TraceEvent): void {
    const waiting = this.#waiting.get(mapping);
    if (waiting === undefined || waiting.proven || !waiting.provable) return;
    if (this.#lastLoss > waiting.event.time) return;
    waiting.proven = true;
    waiting.close ||= areClose(waiting.event, event);
    waiting.shown.push({ role: 'unmapped here', event });
  }

  end(): void {
    while (this.#waiting.size > 0) this.#tellOldest();
  }

  /** Events of one CPU are missing since its last one: what happened in between may have been otherwise. */
  #lost({ cpu, time }: LostEvent): void {
    const since = this.#lastOf[cpu]?.time ?? Number.NEGATIVE_INFINITY;
    for (const waiting of this.#waiting.values()) waiting.lossy ||= waiting.event.time >= since;
    this.#lastLoss = time;
  }

  #tellOldest(): void {
    for (const oldest of this.#waiting.values()) {
      this.#waiting.delete(oldest.mapping);
      this.#tell(oldest);
      return;
    }
  }

  #tell(waiting: Waiting): void {
    const { check, text, subject, shown, mapping, event } = waiting;
    if (!this.#recordsEnds(mapping))
      this.#findings.tolerate('no-unmaps', 'mappings whose unmaps are not in the trace', event.line);
    else if (mapping.space === undefined && mapping.iova === mapping.paddr)
      this.#findings.tolerate(
        'identity',
        'pages that are mapped one to one, as reserved regions are',
        event.line,
      );
    else {
      const space = mapping.space === undefined ? {} : { space: mapping.space };
      const evidence = shown.toSorted((a, b) => a.event.time - b.event.time);
      this.#findings.add({ check, text, subject: { ...subject, ...space }, evidence, ...judged(waiting) });
    }
  }
}

/** How sure it is, and what could excuse it. */
function judged({ lossy, close, proven, mapping }: Waiting): {
  readonly confidence: Confidence;
  readonly assumptions: readonly AssumptionName[];
} {
  if (lossy) return { confidence: 'possible', assumptions: ['nothing-lost'] };
  if (close) return { confidence: 'possible', assumptions: ['order-kept'] };
  if (proven && !mapping.doubtful) return { confidence: 'certain', assumptions: [] };
  return { confidence: 'likely', assumptions: ['nothing-lost'] };
}

const areClose = (a: TraceEvent, b: TraceEvent): boolean =>
  a.cpu !== b.cpu && Math.abs(b.time - a.time) < SKEW;
