/** What happens with a finding: it is saved, made smaller, saved again, and told. */
import { type Case, type Expectation, type Property, writeCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import {
  clientOf,
  describe,
  type Finding,
  type Found,
  type Script,
  type Shrunk,
} from '../properties/index.ts';
import { certificateText } from './certificate-text.ts';
import { replayLine } from './command-line.ts';
import type { Corpus, Kept } from './corpus.ts';
import type { RunOptions } from './options.ts';
import { scriptLines, withPolicy } from './script-text.ts';
import type { Output, Session } from './session.ts';
import { count } from './table.ts';
import type { Smaller } from './worker.ts';

const TITLE_MAX = 2_000;

export interface Told {
  readonly found: Found;
  readonly shrunk: Shrunk | undefined;
  readonly case: Case;
  readonly saved: Kept;
}

/** What can be done with a finding besides saving it. */
export interface Pursuit {
  shrink(found: Found, onSmaller: (smaller: Smaller) => void): Promise<Shrunk | undefined>;
  find(script: Script): Promise<Finding | undefined>;
  /** Whether a case that was saved earlier shows its finding still. */
  isFound(older: Case): Promise<boolean>;
  /** Once it was given, an answer that is missing says nothing. */
  readonly signal: AbortSignal;
}

/** Saves what was found before anything else is tried with it; then shrinks it, and saves what that comes to. */
export async function keep(
  options: RunOptions,
  version: string,
  found: Found,
  pursuit: Pursuit,
  corpus: Corpus,
): Promise<Told> {
  const caseWith = (smaller: Smaller): Case => caseOf(options, version, { ...found, ...smaller });
  let best: Smaller = found;
  const saved = corpus.save(caseWith(best));
  const shrunk = await pursuit.shrink(found, (smaller) => {
    best = smaller;
    corpus.update(saved, caseWith(smaller));
  });
  if (shrunk === undefined) return { found: { ...found, ...best }, shrunk, case: caseWith(best), saved };
  const smallest = await withOthers(caseWith(shrunk), pursuit);
  return { found, shrunk, case: smallest, saved: await corpus.settle(saved, smallest, pursuit.isFound) };
}

/** A verdict says of every value of the policy whether it holds; after Ctrl-C, of those that were tried. */
export async function withOthers(
  found: Case,
  { find, signal }: Pick<Pursuit, 'find' | 'signal'>,
): Promise<Case> {
  const { property, script, expect = {} } = found;
  if (property.name !== 'verdict') return found;
  const all: Record<string, Expectation> = { ...expect };
  for (const value of SPEC.policies[property.policy]?.values ?? []) {
    if (value in all) continue;
    const shown = await find(withPolicy(script, property.policy, value));
    if (signal.aborted) break;
    all[value] = shown === undefined ? 'holds' : 'broken';
  }
  return { ...found, expect: all };
}

type Asked = Pick<RunOptions, 'target' | 'seed' | 'premise' | 'property' | 'machine'>;

/** The policy that a run decides: the disputed one that is fixed, or the only one. */
function decidedBy({
  premise,
  machine,
}: Omit<Asked, 'seed'>): readonly [policy: string, value: string] | undefined {
  const fixed = Object.entries(machine.policies ?? {});
  const disputed = fixed.filter(([name]) => SPEC.policies[name]?.free !== true);
  const [decided, ...others] = disputed.length > 0 ? disputed : fixed;
  return premise === undefined || others.length > 0 ? undefined : decided;
}

/** The property of a case: what was asked, with what it takes to ask it again. */
function propertyOf(asked: Omit<Asked, 'seed'>, script: Script, { kind, command, call }: Finding): Property {
  const client = clientOf(SPEC, script, command);
  const [[site, n] = []] = Object.entries(call.fail ?? {});
  const decided = decidedBy(asked);
  if (kind === 'flaky') return { name: 'nondeterminism' };
  if (asked.property === 'noninterference' && client !== undefined)
    return { name: 'noninterference', client };
  if (asked.property === 'fault' && site !== undefined && n !== undefined)
    return { name: 'fault', command, site, n };
  if (asked.property === 'schedule') return { name: 'schedule' };
  if (decided === undefined) return { name: 'lockstep' };
  return { name: 'verdict', policy: decided[0], premise: asked.premise ?? '' };
}

/** The case of a finding that a run came to. */
export const caseOf = (
  asked: Asked,
  version: string,
  { index, script, finding, certificate }: Found & Pick<Shrunk, 'certificate'>,
): Case => ({
  ...foundCase(asked, script, finding, { seed: asked.seed, index, version }),
  ...(certificate === undefined ? {} : { certificate }),
});

/** The case of a finding, wherever it comes from. */
export function foundCase(
  asked: Omit<Asked, 'seed'>,
  script: Script,
  finding: Finding,
  found: NonNullable<Case['found']>,
): Case {
  const { target } = asked;
  const { kind, serves, clause, layer, command } = finding;
  const decided = kind === 'flaky' ? undefined : decidedBy(asked);
  const expect: Record<string, Expectation> = { [decided?.[1] ?? target.name]: 'broken' };
  const detail = finding.detail.slice(0, TITLE_MAX);
  return {
    format: 1,
    title: describe(finding).split('\n', 1)[0]?.slice(0, TITLE_MAX) ?? '',
    property: propertyOf(asked, script, finding),
    target: target.name.slice(0, TITLE_MAX),
    found,
    finding: { kind, serves, clause, layer, detail, command },
    expect,
    script,
  };
}

/** What belongs on standard error, whatever is printed besides. */
export function warn({ found: { finding }, saved }: Told, files: readonly string[], io: Output): void {
  if (finding.kind === 'crash') io.err(`ionclad: the target failed: ${finding.detail.split('\n', 1)[0]}`);
  if ('problem' in saved) io.err(`ionclad: ${saved.problem}; the case is printed instead`);
  for (const file of files) if (!('file' in saved) || file !== saved.file) io.err(`also found: ${file}`);
}

/** Tells a finding on standard output. Where it could not be saved, the case itself goes there. */
export function tell(
  { found, shrunk, case: saved, saved: place }: Told,
  options: RunOptions,
  session: Session,
): void {
  const { io } = session;
  const finding: Finding = shrunk?.finding ?? found.finding;
  const isPromised = finding.kind !== 'crash';
  const invariant = SPEC.invariants.find(({ id }) => isPromised && id === finding.serves);
  const [sentence = '', ...rest] = describe(finding).split('\n');
  io.out(io.style('red', sentence));
  for (const line of rest) io.out(`    ${line}`);
  if (invariant !== undefined) io.out(`  ${invariant.id}: ${invariant.text}`);
  io.out('');
  for (const line of scriptLines(saved.script, markedOf(finding, options))) io.out(line);
  io.out('');
  io.out(
    `found by script ${found.index} of seed ${options.seed} on ${options.target.name}${shrinking(found, shrunk)}`,
  );
  if (shrunk?.certificate !== undefined) io.out(certificateText(shrunk.certificate));
  tellPlace(place, saved, options, io);
}

/** Index of the command that showed it, or -1: a program that died in the midst of a batch does not tell. */
const markedOf = ({ kind, command }: Finding, { target }: RunOptions): number =>
  kind === 'crash' && target.name.startsWith('process:') ? -1 : command;

function shrinking({ script }: Found, shrunk: Shrunk | undefined): string {
  if (shrunk === undefined) return ', not shrunk to the end';
  const from = script.commands.length;
  return `, shrunk from ${from} to ${shrunk.script.commands.length} commands in ${count(shrunk.executions)} runs`;
}

function tellPlace(place: Kept, saved: Case, { target }: RunOptions, io: Output): void {
  if ('file' in place) {
    const before = place.known === true ? ', where the same finding was saved before' : '';
    io.out(`case:   ${place.file}${before}`);
    io.out(`replay: ${replayLine(target, place.file)}`);
    return;
  }
  io.out(writeCase(saved).trimEnd());
}
