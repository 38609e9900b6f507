/** Allocations and frees as commands: which block holds which frames, and under which name. */
import type { EventOf } from '../event.ts';
import type { Draft } from './draft.ts';
import { pagesOfEvent } from './events.ts';
import type { Block, Frames, ScriptMemory } from './memory.ts';

export class Blocks {
  readonly #draft: Draft;
  readonly #memory: ScriptMemory;
  /** Blocks that were named, with whether they are still held. */
  readonly #named = new Map<Block, { readonly name: string; held: boolean }>();

  constructor(draft: Draft, memory: ScriptMemory) {
    this.#draft = draft;
    this.#memory = memory;
  }

  /** Pages that are handed out again were freed in between, whether or not the trace shows it. */
  allocated(event: EventOf<'page-alloc'>): void {
    for (const block of this.#memory.blocksOf(pagesOfEvent(event))) {
      if (this.#named.get(block)?.held === true) this.#free(block, 0);
      this.#allocate(block, event.line);
    }
  }

  freed(event: EventOf<'page-free'>): void {
    for (const block of this.#memory.blocksOf(pagesOfEvent(event))) this.#free(block, event.line);
  }

  /** The blocks below some frames, with their names. What was not seen being allocated was allocated before. */
  below(frames: Frames): readonly { readonly block: Block; readonly name: string }[] {
    return this.#memory.blocksOf(frames).map((block) => ({ block, name: this.#nameOf(block) }));
  }

  #free(block: Block, line: number): void {
    const name = this.#nameOf(block);
    this.#draft.add(line, { op: 'free_pages', block: name });
    this.#named.set(block, { name, held: false });
  }

  /** A block that was freed keeps its name: whoever uses it then does what none may do. */
  #nameOf(block: Block): string {
    return this.#named.get(block)?.name ?? this.#allocate(block, 0);
  }

  #allocate(block: Block, line: number): string {
    const name = this.#draft.name('block');
    this.#draft.add(line, { op: 'alloc_pages', order: block.order, as: name }, { pfn: block.pfn });
    this.#named.set(block, { name, held: true });
    return name;
  }
}
