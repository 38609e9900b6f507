/** `ionclad calls`, `invariants` and `targets`: what there is, from the tables themselves. */
import { type ArgShape, type CallShape, SPEC } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { ZOO } from '../targets/zoo/index.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Output } from './session.ts';
import { table } from './table.ts';

type Row = Readonly<Record<string, string>>;

/** The calls with what they take and give. `!` behind an argument: the call consumes it. */
function callsCommand(json: boolean, io: Output): ExitCode {
  if (json) return printJson({ calls: SPEC.calls, kinds: SPEC.kinds, sites: SPEC.sites }, io);
  const rows = Object.entries(SPEC.calls).map(([call, { layer, by, args, gives }]) => ({
    call,
    layer,
    by,
    takes: Object.entries(args).map(argumentText).join(', '),
    gives: givesText(gives),
  }));
  return printRows(rows, io);
}

function argumentText([name, shape]: readonly [string, ArgShape]): string {
  switch (shape.is) {
    case 'ref':
      return `${name}: ${shape.of.join('|')}${shape.consumes === true ? '!' : ''}`;
    case 'refs':
      return `${name}: 1..${shape.most} × ${shape.of.join('|')}`;
    case 'address':
      return `${name}: place in ${shape.of.join('|')}${shape.wild === undefined ? '' : ' or number'}`;
    case 'number':
      return `${name}: ${shape.from}..${shape.to}${shape.unit === undefined ? '' : ` × ${shape.unit}`}`;
    case 'word':
      return `${name}: ${shape.of.join('|')}`;
    case 'words':
      return `${name}: [${shape.of.join('|')}]`;
  }
}

function givesText(gives: CallShape['gives']): string {
  if (gives === undefined) return '';
  const fields = Object.keys(gives.fields).join(', ');
  return gives.kind === undefined ? fields : `${gives.kind}: ${fields}`;
}

/** The invariants, with the bugs of the zoo that show each. */
function invariantsCommand(json: boolean, io: Output): ExitCode {
  const rows = SPEC.invariants.map(({ id, form, text }) => ({
    id,
    form,
    'shown by': ZOO.filter(({ catches }) => catches === id)
      .map(({ name }) => `zoo/${name}`)
      .join(' '),
    text,
  }));
  return json ? printJson({ invariants: rows }, io) : printRows(rows, io);
}

/** The targets: ours, the bugs, and the two ways to bring one's own. */
function targetsCommand(json: boolean, io: Output): ExitCode {
  const own = [
    { target: 'builtin', breaks: '', text: `our implementation; ${[...builtin().capabilities].join(', ')}` },
    ...ZOO.map(({ name, catches, text }) => ({ target: `zoo/${name}`, breaks: catches, text })),
    { target: 'module:PATH', breaks: '', text: 'a JavaScript module that exports target or createTarget()' },
    {
      target: 'process:COMMAND',
      breaks: '',
      text: 'a program in any language that speaks the line protocol',
    },
  ];
  return json ? printJson({ targets: own }, io) : printRows(own, io);
}

function printJson(value: object, io: Output): ExitCode {
  io.out(JSON.stringify(value, null, 2));
  return EXIT.HELD;
}

function printRows(rows: readonly Row[], io: Output): ExitCode {
  const [header, ...lines] = table([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]);
  io.out(io.style('bold', header ?? ''));
  for (const line of lines) io.out(line);
  return EXIT.HELD;
}

/** By name of the command. */
export const LISTS: Readonly<
  Record<'calls' | 'invariants' | 'targets', (json: boolean, io: Output) => ExitCode>
> = {
  calls: callsCommand,
  invariants: invariantsCommand,
  targets: targetsCommand,
};
