import { expect } from 'chai';
import { type Emphasis, Painter, type Palette, type Pen } from './draw.ts';
import { Rows } from './rows.ts';
import type { Box, Panel } from './scene.ts';

const palette: Palette = {
  ...{ mapped: 'mapped', 'mapped-to-end': 'mapped-to-end', allocated: 'allocated', reached: 'reached' },
  ...{ 'free-while-mapped': 'wrong', edge: 'edge', mark: 'mark', marked: 'marked', lost: 'lost' },
  ...{ text: 'text', ground: 'ground' },
};
const NOTHING: Emphasis = { marks: [], stripes: [], bars: new Set(), picked: undefined };
const frame = { left: 0, top: 0, width: 100, height: 100, ratio: 1 };

type Drawn = readonly [what: string, ...rest: (string | number)[]];

/** A pen that writes down what was drawn with it. */
function notingPen(): { readonly pen: Pen; readonly drawn: Drawn[] } {
  const drawn: Drawn[] = [];
  const nothing = (): void => {};
  const pen: Pen = {
    ...{ fillStyle: '', strokeStyle: '', lineWidth: 1, font: '', textAlign: 'left', textBaseline: 'bottom' },
    ...{ setLineDash: nothing, beginPath: nothing, lineTo: nothing, arc: nothing, fill: nothing },
    fillRect: (...rect) => drawn.push([String(pen.fillStyle), ...rect]),
    strokeRect: (...rect) => drawn.push([`around ${String(pen.strokeStyle)}`, ...rect]),
    fillText: (text) => drawn.push(['text', text]),
    moveTo: (x) => drawn.push([`line ${String(pen.strokeStyle)}`, x]),
    stroke: nothing,
  };
  return { pen, drawn };
}

const rows = new Rows([{ space: '', start: 0, end: 10 }]);
const box = (style: Box['style'], begin: number, end: number, more: Partial<Box> = {}): Box => ({
  ...{ style, begin, end, from: 0, to: 1 },
  ...more,
});

/** What is drawn into the panel itself, and the names beside it. */
function draw(panel: Panel, emphasis = NOTHING, time = { min: 0, max: 1000 }, high = 1): readonly Drawn[] {
  const { pen, drawn } = notingPen();
  const painter = new Painter(pen, frame, time, { min: 0, max: high }, palette);
  painter.panel(panel, emphasis);
  painter.marks(emphasis.marks);
  painter.names(panel.rows.bands);
  return drawn;
}

describe('web: draw', () => {
  it('puts a box where its time and its row are', () => {
    const [drawn] = draw({ rows, boxes: [box('allocated', 200, 500)] });
    expect(drawn).to.deep.equal(['allocated', 20, 0, 30, 100]);
  });

  it('leaves out what is not seen', () => {
    const boxes = [
      box('mapped', 100, 150),
      box('mapped', 700, 800),
      box('mapped', 400, 500, { from: 7, to: 8 }),
    ];
    expect(draw({ rows, boxes }, NOTHING, { min: 200, max: 600 }, 5)).to.deep.equal([]);
  });

  it('shows what is short, and what is wrong more than that, above all else', () => {
    const boxes = [box('free-while-mapped', 500, 500.1), box('mapped', 300, 300.1), box('allocated', 0, 900)];
    const drawn = draw({ rows, boxes }, NOTHING, { min: 0, max: 1000 }, 100);
    expect(drawn.map(([style, , , width]) => [style, width])).to.deep.equal([
      ['allocated', 90],
      ['mapped', 1],
      ['wrong', 3],
    ]);
  });

  it('tells kinds apart by more than colour: by height, edges and hatches', () => {
    const styles = ['mapped', 'mapped-to-end', 'reached', 'free-while-mapped'] as const;
    const looks = styles.map((style) => {
      const [fill, ...edges] = draw({ rows, boxes: [box(style, 0, 50)] });
      return `${fill?.[4]} ${[...new Set(edges.map(([what]) => what))]}`;
    });
    expect(looks).to.deep.equal(['90 around edge', '45 around edge', '50 ', '80 line ground']);
  });

  it('frames the mappings of a finding, draws its row, and numbers its events', () => {
    const boxes = [box('mapped', 0, 50, { bar: 0 }), box('mapped', 60, 90, { bar: 1 })];
    const emphasis = { ...NOTHING, stripes: [{ from: 0, to: 1 }], bars: new Set([1]) };
    const drawn = draw({ rows, boxes }, { ...emphasis, marks: [{ number: 1, time: 500 }] });
    expect(drawn[0]).to.deep.equal(['marked', 0, 0, 100, 100]);
    expect(drawn.filter(([what]) => what === 'around mark')).to.have.length(1);
    expect(drawn.slice(-2)).to.deep.equal([
      ['line mark', 50],
      ['text', '1'],
    ]);
  });

  it('frames what was picked in either panel, and no other box', () => {
    const boxes = [
      box('mapped', 0, 50, { bar: 0 }),
      box('mapped', 60, 90, { bar: 1 }),
      box('allocated', 0, 9),
    ];
    const picked = box('reached', 60, 90, { bar: 1, from: 7, to: 8 });
    const drawn = draw({ rows, boxes }, { ...NOTHING, picked }).filter(([what]) => what === 'around text');
    expect(drawn).to.deep.equal([['around text', 5, 4, 5, 92]]);
  });

  it('hatches the times when events were lost, however short, and no others', () => {
    const { pen, drawn } = notingPen();
    const gaps = [
      { begin: 500, end: 500 },
      { begin: 5000, end: 6000 },
    ];
    new Painter(pen, frame, { min: 0, max: 1000 }, { min: 0, max: 1 }, palette).gaps(gaps);
    expect(drawn.length).to.be.above(10);
    expect(
      drawn.filter(([what, x]) => what !== 'line lost' || Number(x) < 50 || Number(x) > 53),
    ).to.deep.equal([]);
  });

  it('draws no mark where its event is not seen', () => {
    const marks = [{ number: 1, time: 1500 }];
    expect(draw({ rows, boxes: [] }, { ...NOTHING, marks })).to.deep.equal([]);
  });

  it('names devices beside their rows, and says of which mappings none was named', () => {
    const two = new Rows([
      { space: '', start: 0, end: 1 },
      { space: '0000:00:04.0', start: 0, end: 1 },
    ]);
    const names = draw({ rows: two, boxes: [] }, NOTHING, { min: 0, max: 1 }, 4);
    expect(names).to.deep.equal([
      ['text', '0000:00:04.0'],
      ['edge', 104, 0, 2, 25],
      ['text', 'none named'],
      ['edge', 104, 75, 2, 25],
    ]);
  });

  it('writes no name over another, and none of a device whose rows are not seen', () => {
    const { pen, drawn } = notingPen();
    const heights: number[] = [];
    const many = new Rows(
      Array.from({ length: 20 }, (_, n) => ({ space: String(n + 10), start: 0, end: 1 })),
    );
    const view = { min: 0, max: many.height / 2 };
    const noting = { ...pen, fillText: (_: string, _x: number, y: number) => void heights.push(y) };
    new Painter(noting, frame, { min: 0, max: 1 }, view, palette).names(many.bands);
    expect(drawn.length).to.equal(heights.length).and.to.be.within(5, 10);
    expect(Math.min(...heights.slice(1).map((y, at) => y - (heights[at] ?? 0)))).to.be.at.least(12);
  });
});
