import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { execute } from './main.ts';
import { recordingSession, type Session } from './session.ts';

const LEAVE = '\x1b[?1049l';
const CASE = join(import.meta.dirname, '../../counterexamples/zoo/stale-iotlb.case.json');

describe('ionclad explore --step, at a terminal', () => {
  /** A terminal of so many lines, on which these keys are pressed. */
  async function atTerminal(
    keys: readonly string[],
    size: { readonly rows: number; readonly columns: number },
    ...args: readonly string[]
  ): Promise<{
    readonly screens: readonly string[];
    readonly modes: readonly boolean[];
    readonly out: string;
  }> {
    const modes: boolean[] = [];
    const drawn: string[] = [];
    const input = Object.assign(new PassThrough(), {
      isTTY: true as const,
      setRawMode(mode: boolean) {
        modes.push(mode);
        return process.stdin;
      },
    });
    const recording = recordingSession(undefined, input);
    const session: Session = { ...recording, screen: { ...size, write: (text) => void drawn.push(text) } };
    const ended = execute(['explore', '--step', ...args], session);
    for (const key of keys) input.write(key);
    expect(await ended).to.equal(0);
    return { screens: drawn.join('').split('\x1b[H\x1b[2J'), modes, out: recording.recorded().out };
  }

  it('draws a screen that fits, narrows the calls as they are typed, and leaves no trace', async () => {
    const size = { rows: 30, columns: 60 };
    const keys = [
      '\x1b[C',
      '\x1b[C',
      '\x1b[D',
      'i',
      'o',
      'n',
      '_',
      '\x7f',
      '\x15',
      'a',
      ' ',
      '1',
      '\r',
      '\x03',
    ];
    const { screens, modes, out } = await atTerminal(keys, size, CASE);
    expect(screens).to.have.lengthOf(keys.length + 1);
    expect(screens[0]).to.equal('\x1b[?1049h');
    for (const screen of screens.slice(1)) {
      const lines = screen.replace(LEAVE, '').split('\r\n');
      expect(lines.length).to.be.at.most(size.rows);
      for (const line of lines) expect(line.length).to.be.below(size.columns);
    }
    expect(screens[3]).to.include('>   3  coherent1 = dma_alloc_coherent');
    expect(screens[4], 'back').to.include('>   2  attachment1 = ');
    expect(screens[8])
      .to.match(/ion_client_create[\s\S]*> ion_$/)
      .and.not.include('alloc_pages');
    expect(screens[10]).to.match(/alloc_pages[\s\S]*> $/);
    expect(screens[14]?.replace(LEAVE, '')).to.match(/alloc_pages\(order 0\)\r\n {2}pfn 0 to 63[\s\S]*> $/);
    expect(modes).to.deep.equal([true, false]);
    expect(out, 'the path stays').to.include(
      '\n>   2  attachment1 = iommu_attach_device(domain1, device 0)\n',
    );
  });

  it('ends where the keys end', async () => {
    const { screens } = await atTerminal(
      ['?', '\r', 'q', '\r'],
      { rows: 60, columns: 120 },
      '--scope',
      'pages',
    );
    expect(screens[3]).to.include('make the call with this number');
    expect(screens.at(-1)?.endsWith(LEAVE)).to.equal(true);
  });
});
