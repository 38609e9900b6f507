/** `ionclad explore`: every script of a scope, or the shortest that shows a finding. */
import type { Case } from '../counterexamples/index.ts';
import { describe, type Explored } from '../properties/index.ts';
import { replayLine } from './command-line.ts';
import { Corpus, type Kept } from './corpus.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Crew } from './explore-crew.ts';
import type { Asked, ExploreOptions } from './explore-options.ts';
import { boundLines, listLines, toldLine, verdictLine } from './explore-text.ts';
import type { ExploreTask } from './explore-worker.ts';
import { foundCase } from './found.ts';
import { Progress } from './progress.ts';
import { scriptLines } from './script-text.ts';
import type { Session } from './session.ts';
import { version } from './version.ts';

/** What became of one scope. */
interface Result {
  readonly asked: Asked;
  readonly explored: Explored;
  readonly case?: Case;
  readonly saved?: Kept;
}

export async function exploreCommand(options: ExploreOptions, session: Session): Promise<ExitCode> {
  const { io, signal } = session;
  if (options.list) {
    for (const line of listLines()) io.out(line);
    return EXIT.HELD;
  }
  const corpus = new Corpus(options.cases);
  const progress = new Progress(session, options.asked.length, undefined, 'scope');
  const crew = new Crew(options.threads);
  const results: Result[] = [];
  try {
    for (const asked of options.asked) {
      progress.say(`exploring ${asked.name}`);
      progress.restart();
      const explored = await crew.explore(taskOf(asked, options), {
        signal,
        tell: (told) => progress.tell((seconds) => toldLine(asked.name, told, seconds)),
      });
      if (explored === undefined) break;
      const result = keep(asked, explored, options, corpus);
      results.push(result);
      if (!options.json) tell(result, options, session);
    }
  } finally {
    progress.end();
    await crew.close();
  }
  const code = codeOf(results, signal);
  if (options.json) io.out(JSON.stringify(reportOf(results, options, code), null, 2));
  if (signal.aborted) io.err('ionclad: interrupted');
  return code;
}

const taskOf = ({ scope }: Asked, { target, premise }: ExploreOptions): ExploreTask => ({
  target,
  premise,
  scope,
});

function keep(asked: Asked, explored: Explored, { target, premise }: ExploreOptions, corpus: Corpus): Result {
  if (explored.found === undefined) return { asked, explored };
  const { script, finding } = explored.found;
  const { machine } = script;
  const property = script.schedule === undefined ? 'lockstep' : 'schedule';
  const found = foundCase({ target, premise, property, machine }, script, finding, {
    by: `ionclad explore, scope ${asked.name}`,
    version: version(),
  });
  return { asked, explored, case: found, saved: corpus.save(found) };
}

function codeOf(results: readonly Result[], { aborted }: AbortSignal): ExitCode {
  if (results.some(({ explored }) => explored.found !== undefined)) return EXIT.FOUND;
  if (aborted) return EXIT.INTERRUPTED;
  return results.some(({ explored }) => explored.transitions > 0) ? EXIT.HELD : EXIT.NOTHING_RAN;
}

function tell({ asked, explored, saved }: Result, options: ExploreOptions, { io }: Session): void {
  const { found } = explored;
  io.out(io.style('bold', `${asked.name}: ${asked.text}`));
  const verdict = verdictLine(asked.scope, explored, found?.script.commands.length);
  io.out(`  ${io.style(found === undefined ? 'green' : 'red', verdict)}`);
  for (const line of boundLines(asked.scope, explored)) io.out(`  ${line}`);
  if (found !== undefined) {
    io.out('');
    const [sentence = '', ...rest] = describe(found.finding).split('\n');
    io.out(io.style('red', sentence));
    for (const line of rest) io.out(`    ${line}`);
    for (const line of scriptLines(found.script, found.finding.command)) io.out(line);
    io.out('');
  }
  if (saved === undefined) return;
  if ('problem' in saved) io.err(`ionclad: ${saved.problem}`);
  else io.out(`case:   ${saved.file}\nreplay: ${replayLine(options.target, saved.file)}\n`);
}

function reportOf(
  results: readonly Result[],
  { target, premise }: ExploreOptions,
  exitCode: ExitCode,
): object {
  return {
    ionclad: version(),
    command: 'explore',
    exitCode,
    target: target.name,
    ...(premise === undefined ? {} : { premise }),
    scopes: results.map(({ asked: { name, scope }, explored, saved }) => ({
      name,
      scope,
      ...explored,
      ...(saved === undefined ? {} : { saved }),
    })),
  };
}
