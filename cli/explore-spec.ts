/** `ionclad explore --spec`: the specification alone, with every reply that its rules admit. */
import {
  describe,
  type RuleNote,
  type RuleReplies,
  type SpecExplored,
  showCall,
  showReply,
} from '../properties/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Asked, ExploreOptions } from './explore-options.ts';
import { boundLines, verdictLine } from './explore-text.ts';
import { ThreadRunner } from './pool.ts';
import { Progress } from './progress.ts';
import type { Output, Session } from './session.ts';
import { count, many, table, wrapped } from './table.ts';
import { version } from './version.ts';

interface Result {
  readonly asked: Asked;
  readonly explored: SpecExplored;
}

const COLUMNS = 100;

export async function exploreSpecCommand(options: ExploreOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  const progress = new Progress(session, options.asked.length, undefined, 'scope');
  const runner = new ThreadRunner(session, progress, 1);
  const results: Result[] = [];
  try {
    for (const asked of options.asked) {
      progress.say(`exploring ${asked.name}`);
      const explored = await runner.exploreSpec(asked.scope);
      if (explored === undefined) break;
      results.push({ asked, explored });
      if (!options.json) tell({ asked, explored }, io);
    }
  } finally {
    progress.end();
    await runner.close();
  }
  const code = codeOf(results, signal);
  if (options.json) io.out(JSON.stringify(reportOf(results, code), null, 2));
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

function codeOf(results: readonly Result[], { aborted }: AbortSignal): ExitCode {
  if (results.some(({ explored }) => explored.found !== undefined)) return EXIT.FOUND;
  if (aborted) return EXIT.INTERRUPTED;
  return results.some(({ explored }) => explored.transitions > 0) ? EXIT.HELD : EXIT.NOTHING_RAN;
}

function tell({ asked: { name, text, scope }, explored }: Result, io: Output): void {
  const { found } = explored;
  io.out(io.style('bold', `${name}: ${text}`));
  const verdict = verdictLine(scope, { ...explored, passedOver: 0 }, found?.moves.length);
  io.out(`  ${io.style(found === undefined ? 'green' : 'red', verdict)}`);
  for (const line of boundLines(scope, { ...explored, passedOver: 0 })) io.out(`  ${line}`);
  io.out('');
  for (const line of ruleLines(explored)) io.out(`  ${line}`);
  for (const line of noteLines(explored)) io.out(`  ${line}`);
  io.out('');
  if (found === undefined) return;
  io.out(io.style('red', describe(found.finding)));
  for (const [at, { call, reply }] of found.moves.entries())
    io.out(
      `${String(at + 1).padStart(4)}  ${showCall(call)} -> ${reply ? showReply(reply) : 'nothing is right'}`,
    );
  io.out('');
}

/** Every rule with what it admitted. */
function ruleLines({ counts }: SpecExplored): string[] {
  const rows = Object.entries(counts).map(([op, rule]) => [
    op,
    count(rule.asked),
    count(rule.refused),
    count(rule.least),
    count(rule.most),
    choicesText(rule),
  ]);
  const header = [
    'rule',
    'asked',
    'errno owed',
    'replies, least',
    'most',
    'values left of what is up to the target',
  ];
  return table([header, ...rows], new Set([1, 2, 3, 4]));
}

const choicesText = ({ choices }: RuleReplies): string =>
  Object.entries(choices)
    .map(([field, { most }]) => `${field} ${most === 1 ? '1' : `up to ${count(most)}`}`)
    .join(', ');

/** What is to be said of rules, if anything. */
function noteLines({ report: { choosing, barren, unasked, cut } }: SpecExplored): string[] {
  const notes: [text: string, names: readonly string[]][] = [
    ['chooses what is up to the target, whenever more than one value was left', choosing.map(noteText)],
    ['no value was right, although no errno was owed', barren.map(noteText)],
    ['not every value was tried, so that there may be more states', cut.map(noteText)],
    ['never asked', unasked],
  ];
  return notes
    .filter(([, names]) => names.length > 0)
    .flatMap(([text, names]) => wrapped(`${text}: ${names.join(', ')}`, COLUMNS));
}

const noteText = ({ op, field, calls }: RuleNote): string =>
  `${op}${field === undefined ? '' : `.${field}`} (${many(calls, 'call')})`;

const reportOf = (results: readonly Result[], exitCode: ExitCode): object => ({
  ionclad: version(),
  command: 'explore',
  exitCode,
  target: 'specification',
  scopes: results.map(({ asked: { name, scope }, explored: { counts, ...explored } }) => ({
    name,
    scope,
    ...explored,
    rules: counts,
  })),
});
