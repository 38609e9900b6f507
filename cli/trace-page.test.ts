import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { TraceChecker, type TraceReport } from '../traces/index.ts';
import { tracePage } from './trace-page.ts';

/** What a task may be called to harm who reads of it. */
const HOSTILE = `</script><script>document.title='harmed'</script><!--<b>"'&`;

function report(): TraceReport {
  const checker = new TraceChecker({ file: HOSTILE });
  const lines = [
    'map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000005a3c000 size=4096',
    'unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096',
  ];
  for (const [at, line] of lines.entries())
    checker.line(`              dd-123     [000] .....     4.23362${at}: ${line}`);
  const made = checker.end();
  const bar = {
    iova: 0xfffff000,
    paddr: 0x5a3c000,
    size: 4096,
    from: made.source.first ?? 0,
    line: 1,
    task: HOSTILE,
    pid: 1,
  };
  return { ...made, timeline: { bars: [bar], pages: [], barsSeen: 1, pagesSeen: 0 } };
}

/** Contents of the elements of a kind, by how a browser finds their ends. */
const elements = (html: string, start: RegExp, end: string): string[] =>
  html
    .split(start)
    .slice(1)
    .map((rest) => rest.slice(0, rest.indexOf(end)));

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('trace page', () => {
  const html = tracePage([report()]);
  const scripts = elements(html, /<script[^>]*>/i, '</script');

  it('carries the report as data that no name in it can break out of', () => {
    expect(scripts).to.have.length(2);
    const [data = ''] = scripts;
    const [told] = JSON.parse(data);
    expect(told.report).to.deep.equal(JSON.parse(JSON.stringify(report())));
    expect(data).not.to.include('<');
    expect(html).to.include('<title>ionclad check-trace &lt;/script>');
  });

  it('allows its own script and style, and nothing else', () => {
    const [policy = ''] = elements(html, /http-equiv="Content-Security-Policy" content="/, '"');
    const [style = ''] = elements(html, /<style>/, '</style');
    expect(policy).to.equal(
      `default-src 'none'; script-src ${hashOf(scripts[1] ?? '')}; style-src ${hashOf(style)}`,
    );
  });

  it('loads nothing', () => {
    expect(html.match(/<(link|img|iframe|object|embed|base)\b|\b(src|href)=|@import|\burl\(/gi)).to.equal(
      null,
    );
    expect(scripts[1]?.match(/\b(fetch|XMLHttpRequest|WebSocket|EventSource|import)\(/g)).to.equal(null);
  });

  it('keeps the licences of what it carries', () => {
    expect(html).to.match(
      /\/\*![^*]*uPlot, copyright[^*]*Preact, copyright[^*]*Permission is hereby granted/,
    );
  });

  it('shows itself in a browser, where there is one', function () {
    this.timeout(30_000);
    const browser = [process.env['CHROMIUM'] ?? 'chromium', 'google-chrome'].find(
      (name) => spawnSync(name, ['--version']).status === 0,
    );
    if (browser === undefined) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'ionclad-page-'));
    try {
      const page = join(folder, 'page.html');
      writeFileSync(page, html);
      const { dom, log } = open(browser, pathToFileURL(page).href, folder);
      expect(dom.match(/<canvas\b/g), 'a panel for mappings, and one for what is live').to.have.length(2);
      expect(dom).to.include('<title>ionclad check-trace &lt;/script').and.to.include('1 mapping made');
      expect(log.match(/CONSOLE.*/g), 'errors and warnings of the page').to.equal(null);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** What became of the page, and what it wrote to the console. */
function open(browser: string, url: string, profile: string): { readonly dom: string; readonly log: string } {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
  ];
  const wanted = ['--enable-logging=stderr', '--virtual-time-budget=3000', '--dump-dom', url];
  const { stdout, stderr } = spawnSync(browser, [...flags, `--user-data-dir=${profile}`, ...wanted], {
    encoding: 'utf8',
    timeout: 25_000,
  });
  return { dom: stdout, log: stderr };
}
