/** Reports of traces in Markdown: for a mail, an issue, or a comment on a change. */
import { CHECKS, type Fact, type TraceFinding, type TraceReport } from '../traces/index.ts';
import { count, rowsOf } from './table.ts';
import {
  assumed,
  COLUMNS_OF_SPACES,
  coverageFacts,
  distributionFacts,
  eventText,
  moreText,
  shown,
  sightFacts,
  sourceLine,
  spaceRow,
  totalsText,
  untoldText,
} from './trace-facts.ts';

export const traceMarkdown = (reports: readonly TraceReport[]): string =>
  `${reports.flatMap(sections).join('\n\n')}\n`;

function sections(report: TraceReport): readonly string[] {
  const { source, findings, distributions } = report;
  const untold = untoldText(report);
  const spaces = distributions.spaces.map(spaceRow).map((row) => row.map(plain));
  return [
    `# ${plain(source.file)}`,
    `${plain(sourceLine(report))}.`,
    '## What the trace can show',
    factList(sightFacts(report)),
    `## Findings: ${totalsText(report)}`,
    ...findings.flatMap(findingSection),
    ...(untold === '' ? [] : [`And ${untold}.`]),
    '## Coverage',
    factList([...coverageFacts(report), ...distributionFacts(report)]),
    ...(spaces.length === 0 ? [] : [rowsOf(COLUMNS_OF_SPACES, spaces, (at) => at > 0).join('\n')]),
  ];
}

const factList = (facts: readonly Fact[]): string =>
  facts
    .flatMap(([name, ...sentences]) => sentences.map((sentence) => `- **${name}**: ${plain(sentence)}`))
    .join('\n');

function findingSection(finding: TraceFinding): readonly string[] {
  const { check, confidence, text, evidence } = finding;
  const { invariant, level, text: rule, source } = CHECKS[check];
  const more = moreText(finding);
  const lines = evidence.map(
    ({ role, event }) => `# line ${count(event.line)}: ${role}\n${eventText(event)}`,
  );
  return [
    `### ${confidence}: \`${check}\` (${invariant}, ${level})`,
    `${plain(text)}.`,
    [`- rule: ${rule} (${source})`, ...assumed(finding).map((sentence) => `- if: ${sentence}`)].join('\n'),
    `${FENCE}\n${lines.join('\n')}\n${FENCE}`,
    ...(more === '' ? [] : [`And ${more}.`]),
  ];
}

/** Longer than what names of tasks can hold, so that none ends it. */
const FENCE = '`'.repeat(20);

/** Text that comes from the trace, without a meaning in Markdown or HTML. */
const plain = (text: string): string => shown(text).replace(/[\\`*<>[\]&|]/g, '\\$&');
