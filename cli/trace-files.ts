/** Files that reports of traces are written to, each in its own form. */
import type { TraceReport } from '../traces/index.ts';
import { UsageError } from './exit.ts';
import { saveProblem, saveText } from './save.ts';
import { traceMarkdown } from './trace-markdown.ts';
import { tracePage } from './trace-page.ts';
import { traceSarif } from './trace-sarif.ts';

const FORM_NAMES = ['html', 'markdown', 'sarif'] as const;
type Form = (typeof FORM_NAMES)[number];

const FORMS: Readonly<Record<Form, (reports: readonly TraceReport[]) => string>> = {
  html: tracePage,
  markdown: traceMarkdown,
  sarif: traceSarif,
};

/** Paths by form. */
export type ReportFiles = { readonly [F in Form]?: string };

const asked = (files: ReportFiles): readonly (readonly [Form, string])[] =>
  FORM_NAMES.flatMap((form) => {
    const file = files[form];
    return file === undefined ? [] : [[form, file] as const];
  });

/** Before hours of reading, not after them. Undefined: nothing is written there. */
export function refuseUnwritable(files: readonly (string | undefined)[]): void {
  for (const file of files) {
    const problem = file === undefined ? undefined : saveProblem(file);
    if (problem !== undefined) throw new UsageError(problem);
  }
}

export function writeReports(files: ReportFiles, reports: readonly TraceReport[]): void {
  for (const [form, file] of asked(files)) {
    const saved = saveText(file, FORMS[form](reports));
    if ('problem' in saved) throw new UsageError(saved.problem);
  }
}
