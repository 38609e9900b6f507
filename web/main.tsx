/** Shows the reports that the page carries. */
import { render } from 'preact';
import type { TraceReport } from '../traces/report.ts';
import { App } from './app.tsx';

const data = document.getElementById('reports')?.textContent ?? '[]';
const place = document.getElementById('app');
if (place !== null) render(<App reports={JSON.parse(data) as TraceReport[]} />, place);
