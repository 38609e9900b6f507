/** A script while it is written: commands with the answers that a trace shows, and where its addresses lie. */
import type { Value } from '../../model/index.ts';
import type { Command } from '../../properties/index.ts';
import type { TraceEvent } from '../event.ts';
import { PAGE_BYTES } from './events.ts';
import { type Frames, joined } from './memory.ts';

/** Domains and devices of a machine. */
export const SPACES_MAX = 64;
/** What a script is to show, where the events leave it open. */
export interface Claim {
  /** All mappings are in one domain; else those that overlap are in several, as the kernel allows. */
  readonly together?: boolean;
  /** What is unmapped or synced, and was not seen being mapped, never was; else it was before the trace began. */
  readonly fromStart?: boolean;
}

/** Commands as they come, each with its answer. */
export class Draft {
  readonly commands: Command[] = [];
  readonly answers: Value[] = [];
  readonly lines: number[] = [];
  readonly #names = new Map<string, number>();
  left = 0;

  /** @param line - of the event that says so; 0: none does */
  add(line: number, command: Command, ok: Value = {}): void {
    this.commands.push(command);
    this.answers.push(ok);
    this.lines.push(line);
  }

  /** A name that no other command has. */
  name(kind: string): string {
    const number = (this.#names.get(kind) ?? 0) + 1;
    this.#names.set(kind, number);
    return `${kind}${number}`;
  }
}

/** I/O pages of the machine for those of the trace: in their order, with a hole where there was one. */
export class IoPages {
  readonly #runs: readonly (Frames & { readonly at: number })[];
  readonly count: number;

  constructor(used: readonly Frames[]) {
    let next = 1;
    this.#runs = joined(used).map((run) => {
      const at = next;
      next += run.count + 1;
      return { ...run, at };
    });
    this.count = next;
  }

  /** The address on the machine; its offset in a page stays. */
  addressOf(iova: number): number {
    const page = Math.floor(iova / PAGE_BYTES);
    const run = this.#runs.findLast(({ first }) => first <= page);
    return ((run === undefined ? 0 : run.at - run.first) + page) * PAGE_BYTES + (iova % PAGE_BYTES);
  }
}

/** Whoever turns events of one level into commands. */
export interface Teller {
  tell(event: TraceEvent): void;
  /** Domains, devices and tables that it takes. */
  readonly spaces: number;
  readonly devices: number;
  readonly tables: number;
}
