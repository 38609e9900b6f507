/** What the tests of shrinking have in common: a finding that nothing decides, and a few commands. */
import type { Finding } from '../finding.ts';
import type { Command, Script } from '../script.ts';

export const FINDING: Finding = {
  kind: 'view',
  command: 1000,
  call: { op: '', args: {} },
  serves: 'C1',
  clause: 'kind',
  layer: 'pages',
  detail: '',
};

export const script = (commands: readonly Command[], machine: Script['machine'] = {}): Script => ({
  format: 1,
  machine,
  commands,
});

export const ALLOC: Command = { op: 'alloc_pages', order: 0 };
export const KVMALLOC: Command = { op: 'kvmalloc', bytes: 64 };

export const ops = ({ commands }: Script): string => commands.map(({ op }) => op).join();
