/** A report of a trace for people: what it can show, what was found, how much of it was covered. */
import type { TraceReport } from '../traces/index.ts';
import type { Output } from './session.ts';

export function traceText(report: TraceReport, io: Output): readonly string[] {
  const { source, coverage, findings } = report;
  return [
    `${io.style('bold', source.file)}: ${source.events} events`,
    ...(source.early === undefined ? [] : [`checked as far as it goes: ${source.early}`]),
    `${coverage.born} mappings, ${coverage.died} of them to their end`,
    ...findings.map(({ check, confidence, text, more }) => `${confidence} ${check}: ${text} (+${more})`),
  ];
}
