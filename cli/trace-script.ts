/** `check-trace --script`: a finding, or the beginning of a trace, as a case that replays and shrinks. */
import { basename } from 'node:path';
import type { Case } from '../counterexamples/index.ts';
import { describe, FORMAT } from '../properties/index.ts';
import type { TraceFinding, TraceReport } from '../traces/index.ts';
import {
  type Opening,
  scriptOfEvents,
  scriptOfFinding,
  type TraceScript,
  verdictOf,
} from '../traces/script/index.ts';
import { saveCase } from './case-files.ts';
import { UsageError } from './exit.ts';
import { runOn } from './replay-case.ts';
import { count, many } from './table.ts';
import { openTarget } from './targets.ts';
import type { ScriptRequest } from './trace-script-options.ts';
import { version } from './version.ts';

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

const TITLE_MAX = 2000;

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
