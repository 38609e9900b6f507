/** `check-trace --script`: a finding, or the beginning of a trace, as a case that replays and shrinks. */
import { basename } from 'node:path';
import type { Case } from '../counterexamples/index.ts';
import { describe, FORMAT } from '../properties/index.ts';
import {
  Opening,
  scriptOfEvents,
  scriptOfFinding,
  type TraceFinding,
  type TraceReport,
  type TraceScript,
  verdictOf,
} from '../traces/index.ts';
import { UsageError } from './exit.ts';
import { integer } from './options.ts';
import { runOn } from './replay-case.ts';
import { saveCase } from './save.ts';
import { count, many } from './table.ts';
import { openTarget } from './targets.ts';
import { version } from './version.ts';

export interface RawScriptOptions {
  readonly script?: string;
  readonly finding?: string;
  readonly events?: string;
}

export interface ScriptRequest {
  readonly file: string;
  /** Number of the finding, from 1, in the order of the report; undefined: the surest, or the beginning. */
  readonly finding: number | undefined;
  /** The first so many events, whatever was found. */
  readonly events: number | undefined;
}

/** What was written, and what the specification says of it. */
export interface Exported {
  readonly file: string;
  readonly finding?: number;
  readonly commands: number;
  readonly events: number;
  /** Events that no call says. */
  readonly left: number;
  /** `driver`: a duty of a caller is broken. `kernel`: an answer is wrong. `none`: all of it is right. */
  readonly verdict: 'driver' | 'kernel' | 'none';
  readonly detail?: string;
}

/** Events of the beginning of a trace, where nobody says how many. */
const EVENTS = 100;
/** Commands in a file at the most are 10,000; an event is up to a few of them. */
const EVENTS_MAX = 1000;
const FINDINGS_MAX = 1_000_000;
const TITLE_MAX = 2000;

/** @throws {UsageError} for what does not go together */
export function scriptRequest(raw: RawScriptOptions, files: readonly string[]): ScriptRequest | undefined {
  const { script, finding, events } = raw;
  const lonely = finding === undefined ? (events === undefined ? undefined : '--events') : '--finding';
  if (script === undefined) {
    if (lonely !== undefined) throw new UsageError(`${lonely}: only with --script`);
    return undefined;
  }
  if (files.length > 1) throw new UsageError(`--script: for one file, not for ${files.length}`);
  if (finding !== undefined && events !== undefined)
    throw new UsageError('--finding and --events exclude each other');
  return {
    file: script,
    finding: numberOf('--finding', finding, FINDINGS_MAX),
    events: numberOf('--events', events, EVENTS_MAX),
  };
}

const numberOf = (option: string, text: string | undefined, most: number): number | undefined =>
  text === undefined ? undefined : integer(option, text, 1, most);

/** Who keeps the beginning of a trace while it is read. */
export const openingFor = ({ events }: ScriptRequest): Opening => new Opening(events ?? EVENTS);

/**
 * Writes the case.
 *
 * @throws {UsageError} where there is no such finding, nothing to tell, or no place to write it
 */
export async function exportScript(
  request: ScriptRequest,
  { source, findings }: TraceReport,
  opening: Opening,
): Promise<Exported> {
  const number =
    request.events === undefined ? (request.finding ?? (findings.length > 0 ? 1 : undefined)) : undefined;
  const finding = number === undefined ? undefined : findings[number - 1];
  if (number !== undefined && finding === undefined)
    throw new UsageError(
      `--finding: there is no ${number}; ${many(findings.length, 'finding')} in ${source.file}`,
    );
  const events = finding === undefined ? opening.end() : finding.evidence;
  const told = finding === undefined ? scriptOfEvents(opening.end()) : scriptOfFinding(finding);
  if (told.script.commands.length === 0)
    throw new UsageError(`--script: ${source.file}: no call says what ${what(number)} is about`);
  const { found, verdict, detail } = await caseOf(told, titleOf(source.file, finding), source.file);
  const saved = saveCase(request.file, found);
  if ('problem' in saved) throw new UsageError(`--script: ${saved.problem}`);
  return {
    file: saved.file,
    ...(number === undefined ? {} : { finding: number }),
    ...{ commands: told.script.commands.length, events: events.length, left: told.left, verdict },
    ...(detail === undefined ? {} : { detail }),
  };
}

const titleOf = (file: string, finding: TraceFinding | undefined): string =>
  (finding === undefined ? `the beginning of ${file}` : `${finding.check}: ${finding.text}`).slice(
    0,
    TITLE_MAX,
  );

type Judged = Pick<Exported, 'verdict' | 'detail'> & { readonly found: Case };

/** What the built-in target does is asked, not assumed: it is what the file says of it. */
async function caseOf(told: TraceScript, title: string, file: string): Promise<Judged> {
  const said = verdictOf(told);
  const property: Case['property'] = { name: said?.kind === 'duty' ? 'duty' : 'lockstep' };
  const shown = await runOn(await openTarget({ name: 'builtin', program: [] }), told.script, property);
  const found: Case = {
    ...{ format: FORMAT, title, property, target: 'builtin' },
    found: { by: `check-trace ${basename(file)}`.slice(0, TITLE_MAX), version: version() },
    ...(shown === undefined ? {} : { finding: keptOf(shown) }),
    ...{ expect: { builtin: shown === undefined ? 'holds' : 'broken' }, script: told.script },
  };
  if (said === undefined) return { found, verdict: 'none' };
  return { found, verdict: said.kind === 'duty' ? 'driver' : 'kernel', detail: describe(said) };
}

const keptOf = ({
  kind,
  serves,
  clause,
  layer,
  detail,
  command,
}: NonNullable<Awaited<ReturnType<typeof runOn>>>): NonNullable<Case['finding']> => ({
  ...{ kind, serves, clause, layer, detail, command },
});

const what = (number: number | undefined): string =>
  number === undefined ? 'the beginning of the trace' : `finding ${number}`;

/** Of a finding. */
const AGREES: Readonly<Record<Exported['verdict'], string>> = {
  driver: 'the specification agrees',
  kernel: 'the specification owes another answer than the trace shows',
  none: 'the specification finds nothing wrong in these calls',
};

/** Of the beginning of a trace, of which nothing is claimed. */
const HOLDS: Readonly<Record<Exported['verdict'], string>> = {
  driver: 'the specification objects to a caller, if domains are what its addresses suggest',
  kernel: 'the specification owes another answer, if domains are what its addresses suggest',
  none: 'the specification finds nothing wrong in it',
};

/** For people, below the report. */
export function exportedText(exported: Exported): readonly string[] {
  const { file, finding, commands, events, left, verdict, detail } = exported;
  const without = left === 0 ? '' : `, ${count(left)} of them left out`;
  const said = (finding === undefined ? HOLDS : AGREES)[verdict];
  return [
    '',
    'Script',
    `  tells      ${what(finding)} in ${many(commands, 'command')}, from ${many(events, 'event')}${without}`,
    `  judged     ${said}${detail === undefined ? '' : `: ${detail}`}`,
    `  case       ${file}`,
    `  replay     ionclad replay ${file}`,
  ];
}
