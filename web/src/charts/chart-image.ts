// A chart as an image: its title and time, the plot, its marks, and its legend. The
// image must explain itself.

import { exact } from '../lib/time.ts';
import { resolveColours } from './theme.ts';

/** A mark over the plot, in CSS pixels from the corner of the plot. */
export interface ImageMark {
  x: number;
  height: number;
  colour: string;
}

export interface ImageLine {
  name: string;
  value: string;
  colour: string;
  dashed: boolean;
}

export interface Picture {
  title: string;
  /** From when to when. */
  time: string;
  /** The size of the plot, in CSS pixels. */
  width: number;
  height: number;
  marks: ImageMark[];
  lines: ImageLine[];
  text: string;
  muted: string;
  ground: string;
}

const margin = 12;
const head = 28; // px above the plot
const row = 20; // px of a line of the legend
const column = 220; // the least px of a line of the legend

/** The number of columns of the legend, and the height of the image with it. */
export function sizeOf({ width, height, lines }: Pick<Picture, 'width' | 'height' | 'lines'>): { columns: number; width: number; height: number } {
  const columns = Math.max(1, Math.min(Math.floor(width / column), lines.length));
  return { columns, width: width + 2 * margin, height: head + height + Math.ceil(lines.length / columns) * row + 2 * margin };
}

/** Draws a picture, in CSS pixels. */
export function paint(to: CanvasRenderingContext2D, picture: Picture, plot: CanvasImageSource): void {
  const { width, height, marks, lines, text, muted, ground } = picture;
  const size = sizeOf(picture);
  to.fillStyle = ground;
  to.fillRect(0, 0, size.width, size.height);
  to.textBaseline = 'middle';
  write(to, picture.title, 'bold 14px system-ui, sans-serif', text, 'left', margin, margin + 8);
  write(to, picture.time, '12px system-ui, sans-serif', muted, 'right', margin + width, margin + 8);
  const top = margin + head;
  to.drawImage(plot, margin, top, width, height);
  for (const mark of marks) paintMark(to, mark, margin, top);
  const wide = width / size.columns;
  lines.forEach((line, i) => paintLine(to, picture, line, margin + (i % size.columns) * wide, top + height + (Math.floor(i / size.columns) + 0.5) * row, wide));
}

function write(to: CanvasRenderingContext2D, text: string, font: string, colour: string, align: CanvasTextAlign, x: number, y: number, most?: number): void {
  to.font = font;
  to.fillStyle = colour;
  to.textAlign = align;
  to.fillText(text, x, y, most);
}

/** A dashed line with a head, as over the plot on the page. */
function paintMark(to: CanvasRenderingContext2D, { x, height, colour }: ImageMark, left: number, top: number): void {
  to.strokeStyle = to.fillStyle = colour;
  to.setLineDash([3, 3]);
  to.beginPath();
  to.moveTo(left + x, top);
  to.lineTo(left + x, top + height);
  to.stroke();
  to.setLineDash([]);
  to.beginPath();
  to.moveTo(left + x - 5, top);
  to.lineTo(left + x + 5, top);
  to.lineTo(left + x, top + 10);
  to.fill();
}

function paintLine(to: CanvasRenderingContext2D, { text, muted }: Picture, line: ImageLine, x: number, y: number, wide: number): void {
  to.strokeStyle = line.colour;
  to.lineWidth = 3;
  to.setLineDash(line.dashed ? [4, 2] : []);
  to.beginPath();
  to.moveTo(x, y);
  to.lineTo(x + 10, y);
  to.stroke();
  to.setLineDash([]);
  to.lineWidth = 1;
  const font = '12px system-ui, sans-serif';
  write(to, line.name, font, muted, 'left', x + 16, y, Math.max(20, wide - 16 - 90));
  write(to, line.value, font, text, 'right', x + wide - 12, y, 80);
}

/** What a chart shows on the page. `times` are the drawn times, in seconds. */
export function pictureOf(element: HTMLElement, canvas: HTMLCanvasElement, title: string, times: number[]): Picture {
  const plot = canvas.getBoundingClientRect();
  const page = getComputedStyle(document.body);
  const colours = resolveColours(element).lines;
  const marks = [...element.querySelectorAll<HTMLElement>('.marks a:not([hidden])')].map((link) => {
    const { left, height } = link.getBoundingClientRect();
    return { x: left - plot.left, height, colour: getComputedStyle(link).borderLeftColor };
  });
  const lines = [...element.querySelectorAll<HTMLElement>('.legend button[aria-pressed="true"]')].map((button) => {
    const swatch = button.querySelector('i');
    return {
      name: button.querySelector('span')?.textContent ?? '',
      value: [...button.querySelectorAll('b')].at(-1)?.textContent ?? '',
      colour: colours[Number(swatch?.dataset.slot)] ?? page.color,
      dashed: swatch?.dataset.dashed !== undefined,
    };
  });
  const ends = [times[0], times.at(-1)].flatMap((t) => (t === undefined ? [] : [exact(t * 1000)]));
  return {
    title, time: ends.join(' – '), width: plot.width, height: plot.height, marks, lines,
    text: page.color, muted: getComputedStyle(element.querySelector('.legend span') ?? document.body).color, ground: page.backgroundColor,
  };
}

/** The image of a chart, in the resolution of its plot. */
export function imageOf(element: HTMLElement, title: string, times: number[]): string | null {
  const canvas = element.querySelector('canvas');
  if (!canvas) return null;
  const picture = pictureOf(element, canvas, title, times);
  const { width, height } = sizeOf(picture);
  const scale = picture.width > 0 ? canvas.width / picture.width : 1;
  const copy = document.createElement('canvas');
  copy.width = Math.ceil(width * scale);
  copy.height = Math.ceil(height * scale);
  const context = copy.getContext('2d')!;
  context.scale(scale, scale);
  paint(context, picture, canvas);
  return copy.toDataURL('image/png');
}
