/** Targets by name. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suggest } from '../counterexamples/near.ts';
import type { Call, Machine, RemoteTarget, Reply, Target } from '../model/index.ts';
import { builtin } from '../targets/builtin.ts';
import { processTarget, TargetError } from '../targets/process.ts';
import { bugOf, infect, ZOO } from '../targets/zoo/index.ts';
import { UsageError } from './exit.ts';

/** What was named on the command line. Plain data, so that a thread can open the same target. */
export interface TargetName {
  /** `builtin`, `zoo/…`, `module:PATH` or `process:COMMAND`. */
  readonly name: string;
  /** The program of a process target, word by word. */
  readonly program: readonly string[];
}

export type Opened =
  | { readonly is: 'local'; readonly target: Target<Machine> }
  | { readonly is: 'remote'; readonly target: RemoteTarget<Machine> };

const known = (): string[] => [
  'builtin',
  ...ZOO.map(({ name }) => `zoo/${name}`),
  'module:PATH',
  'process:COMMAND',
];

/**
 * Checks the name of a target.
 *
 * @param program - what stands behind `--`, for `process`
 * @throws {UsageError} when there is no such target
 */
export function targetName(name: string, program: readonly string[]): TargetName {
  if (name === 'process') {
    if (program.length === 0) throw new UsageError('--target process: which program? Write it behind --');
    return { name: `process:${program.join(' ')}`, program };
  }
  if (program.length > 0) throw new UsageError(`"${program[0]}": a program goes with --target process`);
  if (name.startsWith('process:')) return { name, program: wordsOf(name.slice('process:'.length)) };
  if (name === 'builtin' || bugOf(name) !== undefined || name.startsWith('module:')) return { name, program };
  throw new UsageError(`there is no target "${name}"${suggest(name, known())}; see ionclad targets`);
}

function wordsOf(command: string): string[] {
  const words = command.split(' ').filter((word) => word !== '');
  if (words.length === 0) throw new UsageError('--target process: which program? Write process:COMMAND');
  return words;
}

/** Whether opening it runs code that is not part of ionclad. */
export const isForeign = (name: string): boolean => /^(process|module):/.test(name);

/**
 * Opens a target.
 *
 * @throws {UsageError} when a module is none, {@link TargetError} when a program does not start
 */
export async function openTarget({ name, program }: TargetName): Promise<Opened> {
  if (name.startsWith('process:')) {
    const [command = '', ...args] = program;
    return { is: 'remote', target: await processTarget<Machine>(command, args) };
  }
  if (name.startsWith('module:'))
    return { is: 'local', target: await moduleTarget(name.slice('module:'.length)) };
  const bug = bugOf(name);
  return { is: 'local', target: bug === undefined ? builtin() : infect(bug) };
}

/** Ends what was opened; for a target in this process there is nothing to end. */
export async function closeTarget(opened: Opened): Promise<void> {
  if (opened.is === 'remote') await opened.target.close();
}

async function moduleTarget(path: string): Promise<Target<Machine>> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new UsageError(`module:${path}: ${String((cause as Error).message).split('\n', 1)[0]}`);
  }
  const made =
    typeof module['createTarget'] === 'function' ? await created(path, module['createTarget']) : undefined;
  const target = made ?? module['target'] ?? module['default'];
  if (isTarget(target)) return checked(target);
  throw new UsageError(`module:${path}: it exports no target: export const target, or createTarget()`);
}

async function created(path: string, create: unknown): Promise<unknown> {
  try {
    return await (create as () => unknown)();
  } catch (cause) {
    throw new TargetError(`module:${path}`, `createTarget failed: ${String((cause as Error).message)}`);
  }
}

function isTarget(value: unknown): value is Target<Machine> {
  if (typeof value !== 'object' || value === null) return false;
  const { name, capabilities, boot, apply, observe } = value as Partial<Target<Machine>>;
  const isDescribed = typeof name === 'string' && capabilities instanceof Set;
  return isDescribed && [boot, apply, observe].every((method) => typeof method === 'function');
}

/** A stranger's target, whose replies are looked at before they are believed. */
function checked(target: Target<Machine>): Target<Machine> {
  return {
    name: target.name,
    capabilities: target.capabilities,
    ...(target.calls === undefined ? {} : { calls: target.calls }),
    ...(target.concurrent === undefined ? {} : { concurrent: target.concurrent }),
    ...(target.undoable === undefined ? {} : { undoable: target.undoable }),
    boot: (machine) => guard(target.name, 'boot', () => target.boot(machine)),
    apply: (call) => checkReply(call, target.apply(call)),
    observe: (view) => guard(target.name, 'observe', () => target.observe(view)),
  };
}

function guard(name: string, method: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new TargetError(
      name,
      `${method} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

function checkReply({ op }: Call, reply: Reply): Reply {
  const value: unknown = reply;
  if (typeof value === 'object' && value !== null) {
    if ('errno' in value && typeof value.errno === 'string') return reply;
    if ('ok' in value && typeof value.ok === 'object' && value.ok !== null) return reply;
  }
  throw new Error(`the reply to ${op} is neither { ok: {…} } nor { errno: "…" }`);
}
