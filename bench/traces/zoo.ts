/**
 * `node dist/bench/traces/zoo.js [SCRIPTS]`: which bugs of the zoo show in a trace: in that of their shortest case, or
 * of so many further scripts each.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCase } from '../../counterexamples/index.ts';
import { SPEC } from '../../model/index.ts';
import { type Script, Scripts } from '../../properties/index.ts';
import { type Bug, infect, ZOO } from '../../targets/zoo/index.ts';
import { CHECKS } from '../../traces/index.ts';
import { checked, record } from './recorder.ts';

const FOLDER = new URL('../../../counterexamples/zoo/', import.meta.url);
/** Checks of pages that are free. */
const OF_FREE_PAGES = ['freed-while-mapped', 'allocated-while-mapped', 'mapped-while-free'];

export interface ShownBug {
  /** Violations that are certain or likely, by name. */
  readonly checks: readonly string[];
  /** Recordings in which the checker and what the target showed of itself do not agree on memory that was freed. */
  readonly disagreements: number;
}

/** @param more - scripts beside the shortest case */
export function shownOf(bug: Bug, more: number): ShownBug {
  const target = infect(bug);
  const checks = new Set<string>();
  let disagreements = 0;
  for (const script of scriptsFor(bug, more)) {
    const recording = record(target, script);
    const sure = checked(recording).findings.filter(
      ({ check, confidence }) => confidence !== 'possible' && CHECKS[check].level === 'violation',
    );
    for (const { check } of sure) checks.add(check);
    if (sure.some(({ check }) => OF_FREE_PAGES.includes(check)) !== recording.freed) disagreements += 1;
  }
  return { checks: [...checks].toSorted(), disagreements };
}

function* scriptsFor({ name, only }: Bug, more: number): Generator<Script> {
  const file = new URL(`${name}.case.json`, FOLDER);
  yield readCase(readFileSync(file, 'utf8'), name).script;
  const scripts = new Scripts(SPEC, 1, only === undefined ? {} : { only: new Set(only) });
  for (let index = 0; index < more; index++) yield scripts.at(index);
}

/** Shown and all, by the invariant that catches the bugs. */
function tell(shown: ReadonlyMap<Bug, readonly string[]>, scripts: number, disagreements: number): void {
  for (const [{ name, catches }, checks] of shown) console.log(`${name} (${catches}): ${checks.join(', ')}`);
  console.log(`${shown.size} of ${ZOO.length} bugs show in a trace of ${scripts} scripts each`);
  console.log(
    `${disagreements} of ${scripts * ZOO.length} traces disagree with the invariant about freed memory`,
  );
  for (const id of [...new Set(ZOO.map(({ catches }) => catches))].toSorted()) {
    const count = (bugs: Iterable<Bug>): number => [...bugs].filter(({ catches }) => catches === id).length;
    console.log(`${id}: ${count(shown.keys())} of ${count(ZOO)}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const more = Number(process.argv[2] ?? 60);
  const shown = new Map<Bug, readonly string[]>();
  let disagreements = 0;
  for (const bug of ZOO) {
    const found = shownOf(bug, more);
    if (found.checks.length > 0) shown.set(bug, found.checks);
    disagreements += found.disagreements;
  }
  tell(shown, more + 1, disagreements);
}
