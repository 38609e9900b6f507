/** Shows the reports that the page carries. */
import { render } from 'preact';
import type { ToldReport } from '../traces/told.ts';
import { App } from './app.tsx';

const data = document.getElementById('reports')?.textContent ?? '[]';
const place = document.getElementById('app');
if (place !== null) render(<App reports={JSON.parse(data) as ToldReport[]} />, place);
