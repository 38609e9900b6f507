import { expect } from 'chai';
import type { Stamp } from '../event.ts';
import type { Mapping } from '../mapping.ts';
import { A, C, DISK, type Story, story } from './story.test.ts';

describe('a fault is explained', () => {
  const explained = (s: Story): string => {
    expect(s.found).to.deep.equal(['certain fault']);
    return s.texts[0]?.replace(/^.*?: /, '') ?? '';
  };

  it('by what was mapped there', () => {
    expect(
      explained(
        story()
          .map(A)
          .unmap(A)
          .pause(3)
          .fault(A + 8, 1),
      ),
    ).to.equal('it was unmapped 4 ms before by dd');
    expect(explained(story().map(A).fault(A, 1))).to.equal('it is mapped TO_DEVICE, to be read only');
    expect(explained(story().map(A).fault(A, 0))).to.match(/^it is mapped since 1 ms: the fault is older/);
    expect(explained(story().map(A, { device: DISK }).fault(A))).to.equal(
      'it is mapped for 0000:00:04.0 only',
    );
    expect(
      explained(
        story()
          .map(A, { size: 100 })
          .fault(A + 120),
      ),
    ).to.equal('20 bytes behind the end of a mapping, at 0xffffa064');
    expect(explained(story().fault(0xdead_0000))).to.equal('nothing was seen mapped there');
  });

  it('by the tables, where no driver tells', () => {
    const s = story().pause(2).fault(C);
    const at = (line: number): Stamp => ({ line, time: line * 1e6, cpu: 0, task: 'qemu', pid: 8 });
    const range = { iova: C, paddr: 0x5000, size: 0x1000 };
    const born = { kind: 'map', ...range, ...at(3) } as const;
    const live: Mapping = {
      ...range,
      id: 1,
      born,
      died: undefined,
      space: undefined,
      doubtful: false,
      left: 1,
    };
    s.tables = { liveAt: () => [live], lastAt: () => undefined };
    expect(explained(s)).to.match(/^a mapping of this device or of another one is mapped there since 6 ms/);
    s.tables = { liveAt: () => [{ ...live, space: DISK }], lastAt: () => ({ ...live, died: at(7) }) };
    expect(explained(s)).to.equal(
      'a mapping of this device or of another one was unmapped there 2 ms before by qemu (line 7)',
    );
  });

  it('with the lines that show it', () => {
    const s = story().map(A).unmap(A).fault(A);
    const roles = s.findings.list[0]?.evidence.map(({ role, event }) => `${role} ${event.line}`);
    expect(roles).to.deep.equal(['mapped here 7', 'unmapped here 8', 'faulted here 9']);
  });

  it('once for a storm', () => {
    const storm = story();
    for (let n = 0; n < 500; n += 1) storm.fault(A + n);
    expect(explained(storm)).to.equal('nothing was seen mapped there; 499 more up to line 506');
  });
});

describe('shared buffers', () => {
  const shared = (s: Story): Story =>
    s
      .map(A, { phys: 0x5000, direction: 'FROM_DEVICE' })
      .buffer('map', '0xa')
      .mapSg(C, [0x5000], { device: DISK });

  it('excuse memory that two devices reach', () => {
    expect(shared(story()).found).to.deep.equal([]);
    expect(shared(story()).tolerated).to.deep.equal(['shared-buffer 1']);
  });

  it('are unmapped before they are detached', () => {
    const used = (): Story => story().buffer('map', '0xa').buffer('mapped', '').buffer('unmap', '0xa');
    expect(used().buffer('detach', '0xa').found).to.deep.equal([]);
    const again = used().buffer('map', '0xa').buffer('mapped', '').buffer('detach', '0xa');
    expect(again.found).to.deep.equal(['likely buffer-unbalanced']);
    const blind = story().buffer('map', '0xb').buffer('mapped', '').buffer('detach', '0xb');
    expect(blind.found).to.deep.equal(['possible buffer-unbalanced']);
    const failed = story()
      .buffer('map', '0xb')
      .add({ kind: 'other', name: 'kretprobe', ...story().stamp });
    expect(failed.buffer('detach', '0xb').found).to.deep.equal([]);
  });

  it('are detached once', () => {
    const twice = (): Story => story().buffer('attach', '').buffer('detach', '0xa');
    expect(twice().buffer('detach', '0xa').found).to.deep.equal(['likely buffer-unbalanced']);
    expect(twice().buffer('attach', '').buffer('detach', '0xa').found).to.deep.equal([]);
  });

  it('are freed once', () => {
    const stat = (s: Story, size: number): Story => s.buffer('stat', '', { buffer: '17', size });
    expect(stat(stat(stat(story(), 4096), -4096), -4096).found).to.deep.equal(['likely buffer-unbalanced']);
    expect(stat(stat(stat(story(), -4096), 4096), -4096).found).to.deep.equal([]);
  });
});
