import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runLine } from './command-line.ts';
import { UsageError } from './exit.ts';
import { readMemory } from './memory-options.ts';
import { runOptions } from './options.ts';

const file = (name: string): string =>
  fileURLToPath(new URL(`../../cli/test-data/${name}.txt`, import.meta.url));

const CHECKERBOARD = file('checkerboard');

/** The three files of a host, out of a sample that has them one after the other. */
function host(name: string): (path: string) => string {
  const [, ...parts] = readFileSync(file(name), 'utf8').split(/^# (?=\/proc)/m);
  return (path) => {
    const part = parts.find((each) => each.startsWith(path));
    if (part === undefined) throw new UsageError(`${path}: there is no such file`);
    return part.slice(path.length);
  };
}

const without =
  (read: (path: string) => string, missing: string) =>
  (path: string): string => {
    if (path === missing) throw new UsageError(`${path}: reading it is not permitted`);
    return read(path);
  };

const asked = (more: object): ReturnType<typeof runOptions> =>
  runOptions({ target: 'builtin', seed: '1', cases: 'cases', ...more }, []);

describe('memory of this host', () => {
  it('is that of its three files', () => {
    const live = readMemory('live', undefined, host('exhausted'));
    const { machine, lines } = readMemory(file('exhausted'));
    expect(live.machine).to.deep.equal(machine);
    expect(live.lines.slice(1, -1)).to.deep.equal(lines.slice(1));
    expect(live.lines.at(-1)).to.equal(
      'it changes; to repeat this: cat /proc/buddyinfo /proc/pagetypeinfo /proc/zoneinfo > FILE, ' +
        '--memory FILE',
    );
  });

  it('does without the file that root alone may read, and says so', () => {
    const { machine, lines } = readMemory('live', 512, without(host('exhausted'), '/proc/pagetypeinfo'));
    expect(machine.movable).to.deep.equal([]);
    expect(lines[2]).to.include('without /proc/pagetypeinfo, which root may read');
  });

  it('is not there on a host without Linux', () => {
    expect(() => readMemory('live', 512, without(host('exhausted'), '/proc/zoneinfo'))).to.throw(
      UsageError,
      '--memory live: /proc/zoneinfo: reading it is not permitted',
    );
  });

  it('may fail to be read for a fault of ours, which is not hidden', () => {
    const read = (): string => {
      throw new TypeError('ours');
    };
    expect(() => readMemory('live', 512, read)).to.throw(TypeError, 'ours');
  });
});

describe('--memory and --pages', () => {
  it('make the machine, before what is named beside them', () => {
    const { machine, named, memory } = asked({
      memory: CHECKERBOARD,
      pages: '2048',
      machine: ['reserve=5', 'contexts=2'],
      policy: ['layout=contiguous'],
    });
    expect(memory?.machine).to.include({ pages: 2048, reserve: 17, orderMax: 10 });
    expect(machine).to.include({ pages: 2048, reserve: 5, contexts: 2, orderMax: 10 });
    expect(machine.policies).to.deep.equal({ layout: 'contiguous' });
    expect(named).to.deep.equal({ reserve: 5, contexts: 2, policies: { layout: 'contiguous' } });
  });

  it('are told again in the line that repeats a run', () => {
    const line = (more: object): string => runLine(asked(more), 9);
    const start = 'ionclad run --target builtin --seed 1 --scripts 9';
    expect(line({ memory: CHECKERBOARD, pages: '64', machine: ['reserve=1'] })).to.equal(
      `${start} --memory ${CHECKERBOARD} --pages 64 --machine reserve=1`,
    );
    expect(line({ memory: CHECKERBOARD })).to.equal(`${start} --memory ${CHECKERBOARD}`);
    expect(line({ pages: '32' })).to.equal(`${start} --machine pages=32`);
  });

  it('are refused with a second number of pages, or a memory that is none', () => {
    const twice = '--machine: pages: with --memory or --pages it is --pages that says how many';
    const fields = { machine: ['pages=8'] };
    expect(() => asked({ pages: '8', ...fields })).to.throw(UsageError, twice);
    expect(() => asked({ memory: CHECKERBOARD, ...fields })).to.throw(UsageError, twice);
    expect(() => asked({ pages: '0' })).to.throw(
      UsageError,
      '--pages: expected an integer from 1 to 4194304, got "0"',
    );
    const code = fileURLToPath(import.meta.url);
    expect(() => asked({ memory: code })).to.throw(UsageError, `${code}: it shows zones with memory: 0 of`);
    expect(() => asked({ memory: '/dev/zero' })).to.throw(UsageError, '/dev/zero: more than 16 MiB');
  });
});
