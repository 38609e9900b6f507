/** Reports of traces as one HTML page that needs nothing else: it is opened from a file, without a network. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ToldReport, TraceReport } from '../traces/index.ts';
import { COLUMNS_OF_SPACES, coverageFacts, sightFacts, sourceLine, spaceRow } from './trace-facts.ts';

/** What `npm run build` has made of web/. */
interface Built {
  readonly script: string;
  readonly style: string;
}

const FOLDER = new URL('../page/', import.meta.url);

export function tracePage(reports: readonly TraceReport[]): string {
  return pageOf(reports, {
    script: readFileSync(new URL('main.js', FOLDER), 'utf8'),
    style: readFileSync(new URL('page.css', FOLDER), 'utf8'),
  });
}

/** Names in a trace are whatever a task was called: only the page's own script runs, whatever they are. */
function pageOf(reports: readonly TraceReport[], { script, style }: Built): string {
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'`;
  const title = ['ionclad check-trace', ...reports.map(({ source }) => source.file)].join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page draws a timeline, which needs scripts; ionclad check-trace prints the same as text.</noscript>
<script type="application/json" id="reports">${JSON.stringify(reports.map(told)).replaceAll('<', '\\u003c')}</script>
<script>${script}</script>
</body>
</html>
`;
}

const told = (report: TraceReport): ToldReport => ({
  report,
  source: sourceLine(report),
  sight: sightFacts(report),
  coverage: coverageFacts(report),
  spaces: [COLUMNS_OF_SPACES, ...report.distributions.spaces.map(spaceRow)],
});

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
