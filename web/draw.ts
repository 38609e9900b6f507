/** Draws a panel onto a canvas: its boxes, and what belongs to the finding that is looked at. */

import type { Stripe } from './rows.ts';
import { type Box, type Panel, type Style, sameIn, type Time } from './scene.ts';
import type { View } from './view.ts';

/** What of a canvas is used. */
export interface Pen {
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  font: string;
  textAlign: string;
  textBaseline: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  strokeRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number, widthMost?: number): void;
  setLineDash(lengths: number[]): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  stroke(): void;
  fill(): void;
}

/** Where on the canvas, in its own pixels, and how many of them are one of the page. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
}

export interface Palette extends Readonly<Record<Style, string>> {
  readonly edge: string;
  readonly mark: string;
  readonly marked: string;
  readonly lost: string;
  readonly text: string;
  readonly ground: string;
}

export interface Emphasis {
  readonly marks: readonly { readonly number: number; readonly time: number }[];
  readonly stripes: readonly Stripe[];
  /** Bars with a frame around them. */
  readonly bars: ReadonlySet<number>;
  readonly picked: Box | undefined;
}

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How much of the height of its row each kind fills: what is not unmapped is low, and pages show around the mappings
 * that reach them.
 */
const FILLS: Readonly<Record<Style, number>> = {
  mapped: 0.9,
  'mapped-to-end': 0.45,
  allocated: 1,
  reached: 0.5,
  'free-while-mapped': 0.8,
};
const ORDER: readonly Style[] = ['allocated', 'mapped', 'mapped-to-end', 'reached', 'free-while-mapped'];
/** Page pixels that a box has at least; what is wrong must be seen from afar. */
const LEAST = 1;
const LEAST_WRONG = 3;
/** From which size on, in page pixels, edges and hatches are drawn. */
const EDGED = 5;
const HATCH = 5;
const BADGE = 8;
const LINE_HEIGHT = 13;
/** Of the room for the names of devices; longer ones are squeezed. */
export const NAME_WIDTH = 92;

export class Painter {
  readonly #pen: Pen;
  readonly #frame: Frame;
  readonly #time: View;
  readonly #rows: View;
  readonly #palette: Palette;

  constructor(pen: Pen, frame: Frame, time: View, rows: View, palette: Palette) {
    this.#pen = pen;
    this.#frame = frame;
    this.#time = time;
    this.#rows = rows;
    this.#palette = palette;
  }

  /** Lines across the times when events were lost: what is drawn there, and what is not, may be wrong. */
  gaps(gaps: readonly Time[]): void {
    const { top, height, left, width, ratio } = this.#frame;
    this.#pen.strokeStyle = this.#palette.lost;
    this.#pen.lineWidth = ratio;
    for (const { begin, end } of gaps) {
      const x = Math.max(this.#x(begin), left);
      const right = Math.min(Math.max(this.#x(end), x + LEAST_WRONG * ratio), left + width);
      if (right > x) this.#hatched({ x, y: top, width: right - x, height });
    }
  }

  panel({ boxes }: Panel, { stripes, bars, picked }: Emphasis): void {
    this.#stripes(stripes);
    const seen = boxes.filter((box) => this.#sees(box));
    for (const style of ORDER) this.#boxes(seen, style);
    for (const box of seen)
      if (box.bar !== undefined && bars.has(box.bar)) this.#outline(box, this.#palette.mark);
    if (picked !== undefined)
      for (const box of sameIn({ boxes: seen }, picked)) this.#outline(box, this.#palette.text);
  }

  /** Lines at the events of a finding, each with its number. */
  marks(marks: Emphasis['marks']): void {
    const { ratio, top, height, left, width } = this.#frame;
    for (const { number, time } of marks) {
      const x = this.#x(time);
      if (x < left || x > left + width) continue;
      this.#pen.strokeStyle = this.#palette.mark;
      this.#pen.lineWidth = 1.5 * ratio;
      this.#pen.setLineDash([4 * ratio, 3 * ratio]);
      this.#pen.beginPath();
      this.#pen.moveTo(x, top);
      this.#pen.lineTo(x, top + height);
      this.#pen.stroke();
      this.#pen.setLineDash([]);
      this.#badge(number, x, top + (BADGE + 2 + ((number - 1) % 3) * 2 * BADGE) * ratio);
    }
  }

  #badge(number: number, x: number, y: number): void {
    const { ratio } = this.#frame;
    this.#pen.fillStyle = this.#palette.mark;
    this.#pen.beginPath();
    this.#pen.arc(x, y, BADGE * ratio, 0, 2 * Math.PI);
    this.#pen.fill();
    this.#pen.fillStyle = this.#palette.ground;
    this.#pen.font = `bold ${11 * ratio}px system-ui, sans-serif`;
    this.#pen.textAlign = 'center';
    this.#pen.textBaseline = 'middle';
    this.#pen.fillText(String(number), x, y);
  }

  #stripes(stripes: readonly Stripe[]): void {
    this.#pen.fillStyle = this.#palette.marked;
    const { left, width, top, height } = this.#frame;
    for (const { from, to } of stripes) {
      const y = Math.max(this.#y(to), top);
      const bottom = Math.min(this.#y(from), top + height);
      if (bottom > y) this.#pen.fillRect(left, y, width, Math.max(bottom - y, 2 * this.#frame.ratio));
    }
  }

  #boxes(seen: readonly Box[], style: Style): void {
    this.#pen.fillStyle = this.#palette[style];
    const rects = seen.filter((box) => box.style === style).map((box) => this.#rect(box));
    for (const { x, y, width, height } of rects) this.#pen.fillRect(x, y, width, height);
    const edged = EDGED * this.#frame.ratio;
    const large = rects.filter(({ width, height }) => width >= edged && height >= edged);
    this.#pen.lineWidth = this.#frame.ratio;
    this.#pen.strokeStyle = style === 'free-while-mapped' ? this.#palette.ground : this.#palette.edge;
    for (const rect of large) {
      if (style === 'free-while-mapped') this.#hatched(rect);
      else if (style !== 'reached') this.#pen.strokeRect(rect.x, rect.y, rect.width, rect.height);
    }
  }

  /** Lines from the lower left to the upper right, cut at the edges. */
  #hatched({ x, y, width, height }: Rect): void {
    const step = HATCH * this.#frame.ratio;
    this.#pen.beginPath();
    for (let at = step; at < width + height; at += step) {
      const low = Math.max(at - width, 0);
      const high = Math.min(at, height);
      this.#pen.moveTo(x + at - low, y + low);
      this.#pen.lineTo(x + at - high, y + high);
    }
    this.#pen.stroke();
  }

  #outline(box: Box, colour: string): void {
    const { x, y, width, height } = this.#rect(box);
    const { ratio } = this.#frame;
    this.#pen.strokeStyle = colour;
    this.#pen.lineWidth = 2 * ratio;
    this.#pen.strokeRect(x - ratio, y - ratio, width + 2 * ratio, height + 2 * ratio);
  }

  /** Names of spaces, right of their rows, each below the one before; lines between them. */
  names(bands: Panel['rows']['bands']): void {
    if (bands.every(({ space }) => space === '')) return;
    const { ratio, left, width, top, height } = this.#frame;
    const line = LINE_HEIGHT * ratio;
    this.#pen.font = `bold ${11 * ratio}px system-ui, sans-serif`;
    this.#pen.textAlign = 'left';
    this.#pen.textBaseline = 'middle';
    let free = top + line / 2;
    for (const { space, from, to } of bands.toReversed()) {
      const high = Math.max(this.#y(to), top);
      const low = Math.min(this.#y(from), top + height);
      if (low < high) continue;
      const y = Math.max((high + low) / 2, free);
      if (y > top + height) break;
      free = y + line;
      this.#pen.fillStyle = this.#palette.text;
      this.#pen.fillText(nameOf(space), left + width + 10 * ratio, y, NAME_WIDTH * ratio);
      this.#pen.fillStyle = this.#palette.edge;
      this.#pen.fillRect(left + width + 4 * ratio, high, 2 * ratio, Math.max(low - high, ratio));
    }
  }

  #sees({ begin, end, from, to }: Box): boolean {
    const { min, max } = this.#time;
    return end >= min && begin <= max && to >= this.#rows.min && from <= this.#rows.max;
  }

  #rect(box: Box): Rect {
    const { left, width, ratio } = this.#frame;
    const least = (box.style === 'free-while-mapped' ? LEAST_WRONG : LEAST) * ratio;
    const x = Math.max(this.#x(box.begin), left - 4 * ratio);
    const right = Math.min(this.#x(box.end), left + width + 4 * ratio);
    const row = this.#y(box.from) - this.#y(box.to);
    const height = Math.max(row * FILLS[box.style], least);
    return { x, y: this.#y(box.to) + (row - height) / 2, width: Math.max(right - x, least), height };
  }

  #x(time: number): number {
    const { min, max } = this.#time;
    return this.#frame.left + ((time - min) / (max - min)) * this.#frame.width;
  }

  #y(row: number): number {
    const { min, max } = this.#rows;
    return this.#frame.top + this.#frame.height - ((row - min) / (max - min)) * this.#frame.height;
  }
}

const nameOf = (space: string): string => (space === '' ? 'none named' : space);
