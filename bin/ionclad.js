#!/usr/bin/env node
// The command line's entry. A package carries dist/; a fresh checkout does not, so it is built on first use.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds the command line and what it needs; nothing of the compiler may reach standard output. */
function build() {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  const compiler = join(dirname(manifest), 'bin', 'tsc');
  return (
    spawnSync(process.execPath, [compiler, '-b', 'cli'], { cwd: root, stdio: ['ignore', 2, 2] }).status === 0
  );
}

function buildIfPossible() {
  try {
    return build();
  } catch {
    return false;
  }
}

if (!existsSync(join(root, 'dist/cli/main.js')) && !buildIfPossible()) {
  console.error('ionclad: this checkout is not built: run npm ci && npm run build first');
  process.exit(2);
}
const { main } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
