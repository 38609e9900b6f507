/** Findings in the form that code scanning services read: SARIF 2.1.0. */
import type { Location, Log, ReportingDescriptor, Result } from 'sarif';
import { version } from './version.ts';

export interface SarifRule {
  readonly id: string;
  /** One sentence. */
  readonly text: string;
  readonly help: string;
}

/** A line of a file, from 1, and what is to be said of it. */
export interface SarifPlace {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface SarifResult {
  readonly rule: string;
  readonly level: 'error' | 'warning' | 'note';
  readonly text: string;
  readonly place: SarifPlace;
  readonly related: readonly SarifPlace[];
  /** What stays the same when the finding is found again. */
  readonly fingerprint: string;
}

/** A file with the results of one command; rules that nothing broke are told too. */
export function sarifText(rules: readonly SarifRule[], results: readonly SarifResult[]): string {
  const indices = new Map(rules.map(({ id }, at) => [id, at]));
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'ionclad', version: version(), rules: rules.map(descriptor) } },
        results: results.map((result) => resultOf(result, indices.get(result.rule) ?? -1)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const descriptor = ({ id, text, help }: SarifRule): ReportingDescriptor => ({
  id,
  shortDescription: { text },
  help: { text: help },
});

const resultOf = (
  { rule, level, text, place, related, fingerprint }: SarifResult,
  ruleIndex: number,
): Result => ({
  ...{ ruleId: rule, ruleIndex, level, message: { text } },
  locations: [locationOf(place)],
  ...(related.length === 0 ? {} : { relatedLocations: related.map(locationOf) }),
  partialFingerprints: { 'ionclad/v1': fingerprint },
});

const locationOf = ({ file, line, text }: SarifPlace): Location => ({
  physicalLocation: { artifactLocation: { uri: encodeURI(file) }, region: { startLine: line } },
  message: { text },
});
