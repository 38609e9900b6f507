/**
 * The trace of a busy system in which nothing is wrong, as long as one likes, the same every time; memory does not
 * grow with its length.
 */

import { SeededChoices } from '../../properties/choices.ts';
import type { Mode } from '../../traces/report.ts';
import { HEAD_OF_COLUMNS } from '../../traces/write.ts';
import { type Driver, disk, importers, network } from './drivers.ts';
import { type Context, contextOf, type Events, Kernel, type Steps } from './kernel.ts';

export const DRIVERS = { network, disk, importers } as const;

export interface SyntheticOptions extends Events {
  readonly seed: number;
  /** When so many lines are written everything comes to rest: what is mapped is unmapped, what is held is freed. */
  readonly lines: number;
  readonly mode: Mode;
  readonly cpus: number;
  readonly drivers: readonly (keyof typeof DRIVERS)[];
}

export const BUSY: SyntheticOptions = {
  seed: 1,
  lines: 10_000,
  mode: 'strict',
  kmem: true,
  dma: true,
  flushes: true,
  buffers: true,
  cpus: 4,
  drivers: ['network', 'disk', 'importers'],
};

const HEADER = ['# tracer: nop', '#', ...HEAD_OF_COLUMNS];

/** The lines of one trace, a few at a time. */
export function* syntheticTrace(options: SyntheticOptions): Generator<readonly string[]> {
  const { seed, mode, cpus, drivers, lines } = options;
  const choices = new SeededChoices(seed, lines);
  const kernel = new Kernel(choices, mode, options);
  const boot = contextOf('swapper/0', 1, 0, '.....');
  const loaded = drivers.map((name): Driver => DRIVERS[name](kernel, choices, boot));
  yield [...HEADER, ...taken(kernel)];
  const running: (Steps | undefined)[] = Array.from({ length: cpus }, () => undefined);
  for (let written = 0; written < lines; ) {
    const cpu = choices.below(cpus);
    kernel.tick(contextOf('<idle>', 0, 0, 'd.s2.'));
    running[cpu] ??= loaded[choices.below(loaded.length)]?.work(taskOf(cpu), irqOf(cpu));
    if (running[cpu]?.next().done) running[cpu] = undefined;
    written += kernel.lines.length;
    if (kernel.lines.length > 0) yield taken(kernel);
  }
  for (const steps of running) if (steps !== undefined) yield* finished(kernel, steps);
  for (const driver of loaded) yield* finished(kernel, driver.remove(boot));
}

/** The same as one text. */
export const syntheticText = (options: SyntheticOptions): string =>
  `${[...syntheticTrace(options)].flat().join('\n')}\n`;

function* finished(kernel: Kernel, steps: Steps): Generator<readonly string[]> {
  while (!steps.next().done) yield taken(kernel);
  yield taken(kernel);
}

function taken(kernel: Kernel): readonly string[] {
  const { lines } = kernel;
  kernel.lines = [];
  return lines;
}

const TASKS = ['dd', 'kworker/u8:3-events', 'net rx (tx)', 'Xorg'];

const taskOf = (cpu: number): Context => contextOf(TASKS[cpu % TASKS.length] ?? '', 200 + cpu, cpu, '.....');
const irqOf = (cpu: number): Context => contextOf('<idle>', 0, cpu, 'd.h1.');
