/** Mappings that nobody ends, where no driver's event tells whose they are: then tasks stand for drivers. */
import type { Findings } from '../findings.ts';
import { Custom, groupedBy, sizeClass, UNENDED } from '../lifetimes.ts';
import { isNamedByDriver, type Mapping } from '../mapping.ts';
import { pageOf } from './live-mappings.ts';

/** Names of tasks and devices that are told apart; mappings of further ones are not judged. */
const OWNERS_MAX = 4096;

export class IommuLeaks {
  readonly #findings: Findings;
  /** By name, then by size. Tasks that do the same work, such as workers of the kernel, share theirs. */
  readonly #owners = new Map<string, Custom[]>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** @param at - nanoseconds */
  died(mapping: Mapping, at: number): void {
    if (isNamedByDriver(mapping)) return;
    const customs = this.#customsOf(mapping);
    if (customs === undefined) return;
    const kind = sizeClass(mapping.size);
    const custom = customs[kind] ?? new Custom();
    customs[kind] = custom;
    custom.died(mapping.born, at);
  }

  /**
   * The trace is over.
   *
   * @param alive - those that no unmap can have meant, nor part of them
   * @param now - nanoseconds, of the last event
   */
  end(alive: readonly Mapping[], now: number): void {
    const kinds = groupedBy(
      alive.filter((mapping) => !isNamedByDriver(mapping)),
      (mapping) => this.#owners.get(ownerOf(mapping))?.[sizeClass(mapping.size)],
    );
    for (const [custom, all] of kinds) if (custom !== undefined) this.#judge(custom, all, now);
  }

  /** A ring is made before the work begins: only what came when its like came and went already can be forgotten. */
  #judge(custom: Custom, all: readonly Mapping[], now: number): void {
    const old = custom.outlived(all, now).filter(({ born }) => born.time > custom.since);
    const [oldest] = old;
    if (oldest === undefined) return;
    const { born, iova, size, paddr, space } = oldest;
    const whose = space === undefined ? `by ${born.task}` : `of ${space}`;
    this.#findings.add({
      ...{ check: 'leak', ...UNENDED, text: custom.told(old.length, whose, size, now - born.time) },
      subject: { iova, size, pfn: pageOf(paddr), ...(space === undefined ? {} : { space }) },
      evidence: [{ role: 'mapped here', event: born }],
    });
  }

  #customsOf(mapping: Mapping): Custom[] | undefined {
    const owner = ownerOf(mapping);
    const known = this.#owners.get(owner);
    if (known !== undefined || this.#owners.size >= OWNERS_MAX) return known;
    const work = mapping.born.device ?? owner.replace(NUMBERS, '');
    const customs = this.#owners.get(work) ?? [];
    this.#owners.set(work, customs);
    this.#owners.set(owner, customs);
    return customs;
  }
}

/** What tells workers of one kind apart, as in `kworker/1:1H` and `irq/31-nvme0q1`. */
const NUMBERS = /\d+(:\d+H?)?/g;

const ownerOf = ({ born }: Mapping): string => born.device ?? born.task;
