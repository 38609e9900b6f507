/** The options of `check-trace` that are about a script, and who listens for it. */
import { Opening } from '../traces/script/opening.ts';
import { UsageError } from './exit.ts';
import { integer } from './option-values.ts';

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

/** Events of the beginning of a trace, where nobody says how many. */
const EVENTS = 100;
/** Commands in a file at the most are 10,000; an event is up to a few of them. */
const EVENTS_MAX = 1000;
const FINDINGS_MAX = 1_000_000;

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
