/** `ionclad shrink`: cases and scripts made as small as they go. */
import { type Case, type Expectation, writeCase } from '../counterexamples/index.ts';
import { SPEC } from '../model/index.ts';
import {
  clientOf,
  describe,
  type Finding,
  type PropertyName,
  type Script,
  Shrinking,
  type Shrunk,
  trialOf,
} from '../properties/index.ts';
import { readCaseFile, saveCase } from './case-files.ts';
import { certificateText } from './certificate-text.ts';
import { replayLine } from './command-line.ts';
import { eachFile, filesAndProgram } from './each-file.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { withOthers } from './found.ts';
import { proofOf, type RawProofOptions } from './options.ts';
import { checkProperty } from './plan.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import { NO_WAY_BACK } from './remote.ts';
import { ownTarget } from './replay.ts';
import { resultOf, runOn } from './replay-case.ts';
import type { Saved } from './save.ts';
import { scriptLines } from './script-text.ts';
import type { Session } from './session.ts';
import { drive } from './shrinking.ts';
import { many } from './table.ts';
import { closeTarget, isForeign, type Opened, openTarget, type TargetName, targetName } from './targets.ts';
import { version } from './version.ts';

export interface ShrinkOptions extends RawProofOptions {
  readonly target?: string;
  readonly out?: string;
  readonly inPlace?: true;
  readonly json?: true;
}

/** What became of one file. */
interface Result {
  readonly file: string;
  readonly target: string;
  readonly result: 'holds' | 'shrunk' | 'smallest';
  /** Commands before and after, and scripts run on the way. */
  readonly from: number;
  readonly to: number;
  readonly executions: number;
  readonly finding?: Finding;
  readonly case?: Case;
  readonly saved?: Saved;
}

/** Shrinks file after file. One that cannot be read does not keep the others from being shrunk. */
export async function shrinkCommand(
  files: readonly string[],
  options: ShrinkOptions,
  words: readonly string[],
  session: Session,
): Promise<ExitCode> {
  const { named, program } = filesAndProgram(files, words, options.target);
  checkOptions(named, options);
  const proof = proofOf(options);
  const { io, signal } = session;
  const results: Result[] = [];
  const exitCode = await eachFile(named, session, async (file) => {
    const result = await shrinkFile(file, options, program, proof, session);
    results.push(result);
    return [codeOf(result)];
  });
  if (signal.aborted) io.err('ionclad: interrupted; what is smallest so far is kept');
  if (options.json === true)
    io.out(JSON.stringify({ ionclad: version(), command: 'shrink', exitCode, results }, null, 2));
  return exitCode;
}

function checkOptions(files: readonly string[], { out, inPlace }: ShrinkOptions): void {
  if (out !== undefined && inPlace === true) throw new UsageError('--out: not together with --in-place');
  if (out !== undefined && files.length > 1)
    throw new UsageError(`--out: for one file, not for ${files.length}`);
}

async function shrinkFile(
  file: string,
  options: ShrinkOptions,
  program: readonly string[],
  proof: number | undefined,
  session: Session,
): Promise<Result> {
  const read = readCaseFile(file);
  const target = options.target === undefined ? ownTarget(read, file) : targetName(options.target, program);
  const opened = await openTarget(target);
  const progress = new Progress(session, Number.POSITIVE_INFINITY, undefined);
  try {
    const from = read.script.commands.length;
    const finding = await runOn(opened, read.script, read.property);
    if (finding === undefined) {
      const held = { file, target: target.name, result: 'holds', from, to: from, executions: 1 } as const;
      tell(held, target, options, session);
      return held;
    }
    if (resultOf(read, finding) === 'other')
      session.io.err(`${file}: another finding than the one in the file; it is what is shrunk`);
    const smallest = await smaller(read, finding, opened, session, progress);
    const shrunk = await certified(read, smallest, target, opened, proof, session, progress);
    progress.end();
    const result = await kept(read, file, target, shrunk, opened, options, session);
    tell(result, target, options, session);
    return result;
  } finally {
    progress.end();
    await closeTarget(opened);
  }
}

async function smaller(
  { script, property }: Case,
  finding: Finding,
  opened: Opened,
  session: Session,
  progress: Progress,
): Promise<Shrunk> {
  const start = property.name === 'fault' ? withFault(script, property) : script;
  const run = runner(property, opened);
  return drive(new Shrinking(SPEC, start, finding), run, session, progress);
}

/** What was shrunk, or what is shorter still, with a certificate: found in a thread, so that Ctrl-C is heard. */
async function certified(
  { property }: Case,
  shrunk: Shrunk,
  target: TargetName,
  opened: Opened,
  proof: number | undefined,
  session: Session,
  progress: Progress,
): Promise<Shrunk> {
  if (proof === undefined || session.signal.aborted) return shrunk;
  if (opened.is === 'remote') return { ...shrunk, certificate: NO_WAY_BACK };
  const runner = new ThreadRunner(session, progress, 1);
  try {
    const premise = property.name === 'verdict' ? property.premise : undefined;
    const asked = { target, property: searchedAs(property), premise, proof };
    return (await runner.certify(asked, shrunk)) ?? shrunk;
  } finally {
    await runner.close();
  }
}

/** A verdict is in lockstep; what is not the same every time, and what callers did, is said by the finding. */
const searchedAs = ({ name }: Case['property']): PropertyName =>
  name === 'verdict' || name === 'nondeterminism' || name === 'duty' ? 'lockstep' : name;

/** The script with the one fault of its property: it goes with its command when others are removed. */
function withFault(script: Script, property: Extract<Case['property'], { readonly name: 'fault' }>): Script {
  const commands = script.commands.map(({ fail, ...bare }, at) =>
    at === property.command ? { ...bare, fail: { [property.site]: property.n } } : bare,
  );
  return { ...script, commands };
}

/** Runs scripts made from that of a case, as its property demands: commands and clients may have moved. */
function runner(
  property: Case['property'],
  opened: Opened,
): (script: Script) => Promise<Finding | undefined> | Finding | undefined {
  if (opened.is === 'remote' || (property.name !== 'noninterference' && property.name !== 'fault'))
    return (script) => runOn(opened, script, property);
  checkProperty(property.name, opened);
  return trialOf(property.name, SPEC, opened.target).again;
}

/** The smaller case, in its file. */
async function kept(
  read: Case,
  file: string,
  target: TargetName,
  { script, finding, executions, certificate }: Shrunk,
  opened: Opened,
  options: ShrinkOptions,
  session: Session,
): Promise<Result> {
  const { kind, serves, clause, layer, detail, command } = finding;
  const { certificate: _, ...rest } = read;
  const bare: Case = {
    ...rest,
    ...(certificate === undefined ? {} : { certificate }),
    title: titleOf(read, file, finding),
    property: propertyOf(read.property, script, finding),
    target: target.name,
    finding: { kind, serves, clause, layer, detail, command },
    script,
  };
  const whole = await expected(bare, opened, session);
  const from = read.script.commands.length;
  const to = script.commands.length;
  const base = { file, target: target.name, from, to, executions: executions + 1, finding, case: whole };
  const isSame = JSON.stringify(script) === JSON.stringify(read.script);
  const isKnown =
    options.inPlace !== true || JSON.stringify(certificate) === JSON.stringify(read.certificate);
  if (isSame && isKnown && options.out === undefined) return { ...base, result: 'smallest' };
  const place = options.out ?? (options.inPlace === true ? file : besides(file));
  return {
    ...base,
    result: isSame ? 'smallest' : 'shrunk',
    saved: saveCase(place, whole),
  };
}

/** A title that somebody wrote stays; one that tells of a call may be about another by now. */
function titleOf({ title }: Case, file: string, finding: Finding): string {
  const isWritten = title !== file && !/^\w+\(/.test(title);
  return isWritten ? title : (describe(finding).split('\n', 1)[0] ?? '');
}

/** `x.case.json` becomes `x.shrunk.case.json`. */
const besides = (file: string): string => `${file.replace(/(\.case)?\.json$/, '')}.shrunk.case.json`;

/** The property, asked of the script that is left. */
function propertyOf(
  property: Case['property'],
  script: Script,
  { command, call }: Finding,
): Case['property'] {
  if (property.name === 'noninterference')
    return { ...property, client: clientOf(SPEC, script, command) ?? property.client };
  const [[site, n] = []] = Object.entries(call.fail ?? {});
  if (property.name === 'fault' && site !== undefined && n !== undefined)
    return { ...property, command, site, n };
  return property;
}

/** What is expected of other targets may be no longer true of the smaller script: ours are asked again. */
async function expected(found: Case, opened: Opened, session: Session): Promise<Case> {
  const { property, script, target = '' } = found;
  if (property.name === 'verdict') {
    const find = async (each: Script): Promise<Finding | undefined> => runner(property, opened)(each);
    const own = script.machine.policies?.[property.policy] ?? SPEC.policies[property.policy]?.values[0] ?? '';
    return withOthers({ ...found, expect: { [own]: 'broken' } }, { find, signal: session.signal });
  }
  const expect: Record<string, Expectation> = { [target]: 'broken' };
  for (const name of Object.keys(found.expect ?? {})) {
    if (name === target || isForeign(name)) continue;
    const shown = await runOn(await openTarget(targetName(name, [])), script, property);
    expect[name] = shown === undefined ? 'holds' : 'broken';
  }
  return { ...found, expect };
}

const codeOf = ({ result, finding }: Result): ExitCode => {
  if (result === 'holds' || finding === undefined) return EXIT.HELD;
  return finding.kind === 'crash' ? EXIT.TARGET : EXIT.FOUND;
};

function tell(result: Result, target: TargetName, { json }: ShrinkOptions, { io }: Session): void {
  const { file, finding, saved } = result;
  if (saved !== undefined && 'problem' in saved)
    io.err(`ionclad: ${saved.problem}; the case is printed instead`);
  if (json === true) return;
  if (finding === undefined || result.case === undefined) {
    io.out(`${file}: on ${target.name}: ${io.style('green', 'holds, nothing to shrink')}`);
    return;
  }
  io.out(`${file}: on ${target.name}: ${io.style('red', describe(finding))}`);
  io.out('');
  for (const line of scriptLines(result.case.script, finding.command)) io.out(line);
  io.out('');
  io.out(`${shrinkingText(result)} in ${many(result.executions, 'run')}`);
  if (result.case.certificate !== undefined) io.out(certificateText(result.case.certificate));
  if (saved !== undefined && 'problem' in saved) io.out(writeCase(result.case).trimEnd());
  if (saved === undefined || 'problem' in saved) return;
  io.out(`case:   ${saved.file}`);
  io.out(`replay: ${replayLine(target, saved.file)}`);
}

function shrinkingText({ result, from, to }: Result): string {
  const left = many(to, 'command');
  if (result === 'smallest')
    return `nothing smaller than ${to === 1 ? 'this command' : `these ${left}`} was found`;
  return from === to ? `made simpler, ${left} as before` : `shrunk from ${from} to ${left}`;
}
