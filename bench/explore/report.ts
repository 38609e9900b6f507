/**
 * `npm run bench -- explore`: what exhaustive search costs. Contenders in turn, each in a process of its own, CPU
 * time, best of all passes; states and transitions of the toy are held against the formula. Aims stand beside figures.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEPTHS, SIZES } from './contenders.ts';
import { PARTS } from './parts.ts';
import { ownC, type Peer, type Searched, spin } from './peers.ts';
import { toyCounts } from './toy.ts';

const PASSES = 3;
/** Searches in one process: the first ones wait for the compiler, the whole stack for seconds. */
const ROUNDS = 3;

type Print = (line: string) => void;

/** What one of ours says of itself. `wall`: seconds on a clock. */
interface Measured extends Searched {
  readonly wall: number;
  readonly symmetry?: { readonly standsFor: number };
  readonly depth?: number;
  readonly bytes?: number;
}

/** A way to search the toy. */
interface Row {
  readonly name: string;
  readonly pages: number;
  readonly peer: Peer;
}

export function reportExplore(print: Print): void {
  const folder = mkdtempSync(join(tmpdir(), 'ionclad-explore-'));
  try {
    reportToy(print, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
  reportLayers(print);
  reportGrowth(print);
  reportParts(print, 'pages');
  reportParts(print, 'stack');
}

function ours(name: string, rounds = 1): Measured {
  return JSON.parse(self([name, String(rounds)])) as Measured;
}

function self(args: readonly string[]): string {
  const program = fileURLToPath(new URL('ours.js', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const own = (name: string, rounds?: number): Peer => ({ search: () => ours(name, rounds) });

function reportToy(print: Print, folder: string): void {
  const rows: readonly Row[] = [
    { name: 'SPIN, all states', pages: 4, peer: spin(folder, 4) },
    { name: 'SPIN, bitstate', pages: 4, peer: spin(folder, 4, { bitstate: true }) },
    { name: 'a C program for the toy alone', pages: 4, peer: ownC(folder, 4) },
    { name: 'our search, the toy written out for it', pages: 4, peer: own('toy-search') },
    { name: 'our search, specification and target in lockstep', pages: 3, peer: own('toy-lockstep') },
    { name: 'our search, the specification alone', pages: 3, peer: own('toy-alone') },
    { name: 'naive: objects, copied, told apart by JSON', pages: 3, peer: own('toy-naive') },
  ];
  print(`the toy, with P pages 4^P x (1+2P)^4 states; one core, CPU time, best of ${PASSES}`);
  print('  aim: 2 x SPIN, all states; 1 x SPIN, bitstate');
  const best = bestOf(rows);
  const base = best.findIndex((each) => each !== undefined);
  for (const [at, { name, pages, peer }] of rows.entries()) {
    const searched = best[at];
    if (searched === undefined) print(`  ${name}: ${'skipped' in peer ? peer.skipped : ''}`);
    else print(toyLine(name, pages, searched, best[base] as Searched, rows[base]?.name ?? ''));
  }
  const { states, seconds, symmetry } = ours('toy-symmetric');
  const stands = `${symmetry?.standsFor} states with P=4`;
  print(
    `  ${seconds.toFixed(2).padStart(7)} s for ${states} states that stand for ${stands}: the same, symmetric`,
  );
}

/** The best pass of each that there is. */
function bestOf(rows: readonly Row[]): (Searched | undefined)[] {
  const best: (Searched | undefined)[] = rows.map(() => undefined);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [at, { peer }] of rows.entries()) {
      if ('skipped' in peer) continue;
      const searched = peer.search();
      if (searched.seconds < (best[at]?.seconds ?? Number.POSITIVE_INFINITY)) best[at] = searched;
    }
  }
  return best;
}

const rateOf = ({ transitions, seconds }: Searched): number => transitions / seconds;

function toyLine(name: string, pages: number, searched: Searched, base: Searched, baseName: string): string {
  const { states, transitions } = toyCounts(pages);
  const isEqual = states === searched.states && transitions === searched.transitions;
  const counts = isEqual
    ? `${states} states, as the formula says`
    : `${searched.states} states, ${states - searched.states} missed; ${searched.transitions} transitions`;
  const ratio = (rateOf(searched) / rateOf(base)).toFixed(2).padStart(6);
  return `${figures(searched)} ${ratio} x ${baseName}  ${name} (P=${pages}: ${counts})`;
}

const figures = (searched: Searched): string =>
  `  ${searched.seconds.toFixed(2).padStart(7)} s ${thousands(rateOf(searched))} k transitions/s`;

const thousands = (value: number): string => (value / 1000).toFixed(0).padStart(6);

function reportLayers(print: Print): void {
  print('the built-in implementation in lockstep; one core');
  for (const [name, text, aim] of [
    ['pages', 'page layer: every split and merge of 14 pages', '1,000 k'],
    ['pages-unclosed', 'the same, not asked whether everything can be given back', ''],
    ['pages-blind', 'the same with a target that shows nothing', ''],
    ['stack', 'whole stack: every call', '200 k'],
    ['stack-unclosed', 'the same, not asked whether everything can be given back', ''],
    ['stack-blind', 'the same with a target that shows nothing', ''],
  ] as const)
    print(`${layerLine(ours(name, ROUNDS))}  ${text}${aim === '' ? '' : `; aim ${aim} transitions/s`}`);
  const [one, two] = [ours('threads-1', ROUNDS), ours('threads-2', ROUNDS)];
  const times = `${one.wall.toFixed(2)} s with one thread, ${two.wall.toFixed(2)} s with two`;
  print(
    `  page layer by the clock: ${times}: ${(one.wall / two.wall).toFixed(2)} x; aim 1.4 x on two idle cores`,
  );
}

function layerLine(measured: Measured): string {
  const { states, transitions, seconds, bytes = 0 } = measured;
  const rates = `${figures(measured)} ${thousands(states / seconds)} k states/s`;
  const size = `${(bytes / states).toFixed(1).padStart(5)} bytes a state`;
  return `${rates} ${size} (${states} states, ${transitions} transitions)`;
}

function reportGrowth(print: Print): void {
  print('whole stack, by depth');
  for (const depth of DEPTHS) print(`${layerLine(ours(`depth-${depth}`))}  depth ${depth}`);
  print('the same 8 pages on machines of more, which others hold; aim: the same rate');
  for (const size of SIZES) print(`${layerLine(ours(`size-${size}`, ROUNDS))}  ${size} pages`);
}

function reportParts(print: Print, name: string): void {
  const shares = JSON.parse(self([name])) as readonly number[];
  print(`where the time goes: ${name}`);
  for (const [at, share] of shares.entries())
    print(`  ${(100 * share).toFixed(1).padStart(5)} %  ${PARTS[at]?.[0] ?? 'the rest: loading, compiling'}`);
}
