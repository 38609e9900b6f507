/** Findings in traces as results for code scanning: the trace is the file, its lines are the places. */
import {
  CHECKS,
  type Confidence,
  type Evidence,
  type TraceFinding,
  type TraceReport,
} from '../traces/index.ts';
import { type SarifPlace, type SarifResult, type SarifRule, sarifText } from './sarif.ts';
import { assumed, eventText, moreText } from './trace-facts.ts';

export const traceSarif = (reports: readonly TraceReport[]): string =>
  sarifText(RULES, reports.flatMap(resultsOf));

const RULES: readonly SarifRule[] = Object.entries(CHECKS).map(([id, { text, invariant, source }]) => ({
  ...{ id, text },
  help: `An instance of the invariant ${invariant} (ionclad invariants). ${source}.`,
}));

const LEVELS: Readonly<Record<Confidence, SarifResult['level']>> = {
  certain: 'error',
  likely: 'warning',
  possible: 'note',
};

const resultsOf = ({ source: { file }, findings }: TraceReport): readonly SarifResult[] =>
  findings.map((finding) => resultOf(finding, file));

/** The place is the last event, which broke the rule; those before it are related. */
function resultOf(finding: TraceFinding, file: string): SarifResult {
  const { check, confidence, text, evidence, subject } = finding;
  const places = evidence.map((each) => placeOf(each, file));
  const more = moreText(finding);
  const sentences = [text, ...assumed(finding).map((sentence) => `if: ${sentence}`), more];
  const { device = '', space = '', iova = '', pfn = '' } = subject;
  return {
    ...{ rule: check, level: CHECKS[check].level === 'risk' ? 'note' : LEVELS[confidence] },
    text: `${confidence}: ${sentences.filter((sentence) => sentence !== '').join('; ')}`,
    place: places.at(-1) ?? { file, line: 1, text: 'the whole trace' },
    related: places.slice(0, -1),
    fingerprint: [check, device, space, iova, pfn, places.at(-1)?.line ?? ''].join(' '),
  };
}

const placeOf = ({ role, event }: Evidence, file: string): SarifPlace => ({
  ...{ file, line: event.line, text: `${role}: ${eventText(event)}` },
});
