// <heat-map>: a row for each of many hosts and a column for each time, coloured by the
// value. It redraws for new values, a new size, and new colours.
//
// Properties: heat (the data), unit, label, view (for the theme and for screen
// readers), opens (called when a host is chosen).

import { effect } from '@preact/signals';
import { shade, type Heat } from '../data/compare.ts';
import { timeText } from './values.ts';
import { format, type Unit } from '../lib/units.ts';
import type { View } from './view.ts';

const most = 420; // pixels of the height
const row = { most: 18, least: 3 };

type Colour = [number, number, number];

/** The colour between two others. */
export function mixed(from: Colour, to: Colour, part: number): Colour {
  return from.map((c, i) => Math.round(c + (to[i] - c) * part)) as Colour;
}

/** The row and the column at a place of a picture, or null outside it. */
export function cellAt(x: number, y: number, width: number, height: number, columns: number, rows: number): [row: number, column: number] | null {
  if (x < 0 || y < 0 || x >= width || y >= height) return null;
  return [Math.floor((y / height) * rows), Math.floor((x / width) * columns)];
}

export class HeatMap extends HTMLElement {
  view!: View;
  unit: Unit = '';
  label = '';
  opens: (host: string) => void = () => {};
  private shown: Heat = { times: [], rows: [], low: 0, high: 0 };
  private at: [number, number] | null = null;
  private readonly canvas = document.createElement('canvas');
  private readonly said = document.createElement('p');
  private readonly sizing = new ResizeObserver(() => this.draw());
  private stopEffect: (() => void) | undefined;
  private readonly scheme = matchMedia('(prefers-color-scheme: dark)');
  private readonly redraw = (): void => void requestAnimationFrame(() => this.draw());

  connectedCallback(): void {
    if (!this.firstChild) {
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute('role', 'img');
      this.canvas.setAttribute('aria-label', 'Chart'); // until it is drawn
      this.canvas.addEventListener('pointermove', (e) => this.point(e));
      this.canvas.addEventListener('pointerleave', () => this.move(null));
      this.canvas.addEventListener('click', () => this.open());
      this.canvas.addEventListener('keydown', (e) => this.key(e));
      this.said.className = 'hint';
      this.append(this.said, this.canvas);
    }
    this.sizing.observe(this);
    this.scheme.addEventListener('change', this.redraw);
    this.stopEffect = effect(() => {
      void this.view.theme.value;
      this.redraw();
    });
  }

  disconnectedCallback(): void {
    this.sizing.disconnect();
    this.scheme.removeEventListener('change', this.redraw);
    this.stopEffect?.();
  }

  set heat(heat: Heat) {
    if (heat === this.shown) return;
    this.shown = heat;
    if (this.isConnected) this.draw();
  }

  /** What is drawn, for tests. */
  get drawn(): Heat {
    return this.shown;
  }

  private draw(): void {
    const { rows, times, low, high } = this.shown;
    const width = Math.floor(this.clientWidth);
    if (rows.length === 0 || times.length === 0 || width < 1) return;
    const height = Math.min(most, Math.max(row.least, Math.min(row.most, Math.floor(most / rows.length))) * rows.length);
    const picture = document.createElement('canvas');
    picture.width = times.length;
    picture.height = rows.length;
    const inner = picture.getContext('2d');
    const outer = this.canvas.getContext('2d');
    if (!inner || !outer) return;
    const [from, to] = [this.colour('--heat-low'), this.colour('--heat-high')];
    const image = inner.createImageData(times.length, rows.length);
    rows.forEach(({ values }, r) => {
      values.forEach((v, c) => {
        if (Number.isNaN(v)) return; // no value has no colour
        image.data.set([...mixed(from, to, shade(v, low, high)), 255], 4 * (r * times.length + c));
      });
    });
    inner.putImageData(image, 0, 0);
    this.canvas.width = width;
    this.canvas.height = height;
    outer.imageSmoothingEnabled = false;
    outer.drawImage(picture, 0, 0, width, height);
    this.mark(outer);
    this.canvas.setAttribute('aria-label', `${this.label}: ${rows.length} hosts from the highest to the lowest. Arrow keys read values, Enter opens the host.`);
    this.tell();
  }

  private mark(context: CanvasRenderingContext2D): void {
    if (!this.at) return;
    const h = this.canvas.height / this.shown.rows.length;
    context.strokeStyle = getComputedStyle(this).color;
    context.strokeRect(0.5, Math.floor(this.at[0] * h) + 0.5, this.canvas.width - 1, Math.max(2, Math.round(h)) - 1);
  }

  private colour(name: string): Colour {
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    this.append(probe);
    const parts = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
    probe.remove();
    return [0, 1, 2].map((i) => Number(parts[i] ?? 0)) as Colour;
  }

  private point(e: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    this.move(cellAt(e.clientX - box.left, e.clientY - box.top, box.width, box.height, this.shown.times.length, this.shown.rows.length));
  }

  private key(e: KeyboardEvent): void {
    const { rows, times } = this.shown;
    const [r, c] = this.at ?? [0, times.length - 1];
    const steps: Record<string, [number, number]> = { ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], Home: [r, 0], End: [r, times.length - 1] };
    if (e.key === 'Enter') this.open();
    else if (e.key === 'Escape') this.move(null);
    else if (steps[e.key]) this.move([Math.max(0, Math.min(rows.length - 1, steps[e.key][0])), Math.max(0, Math.min(times.length - 1, steps[e.key][1]))]);
    else return;
    e.preventDefault();
    this.view.status.value = this.said.textContent ?? '';
  }

  private move(at: [number, number] | null): void {
    if (at?.[0] === this.at?.[0] && at?.[1] === this.at?.[1]) return;
    const rowChanged = at?.[0] !== this.at?.[0];
    this.at = at;
    if (rowChanged) this.draw();
    else this.tell();
  }

  private tell(): void {
    const { rows, times, low, high } = this.shown;
    const name = (at: [number, number]): string => {
      const { host, values } = rows[at[0]];
      return `${host}: ${Number.isNaN(values[at[1]]) ? 'no value' : format(values[at[1]], this.unit)} at ${timeText(times[at[1]], 0, Date.now())}`;
    };
    const inside = this.at && this.at[0] < rows.length && this.at[1] < times.length;
    this.said.textContent = inside ? name(this.at!) : `${rows.length} hosts, from ${format(low, this.unit)} to ${format(high, this.unit)}`;
  }

  private open(): void {
    const host = this.at && this.shown.rows[this.at[0]]?.host;
    if (host) this.opens(host);
  }
}

export function defineHeatMap(): void {
  if (!customElements.get('heat-map')) customElements.define('heat-map', HeatMap);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'heat-map': { key?: string; class?: string; view?: View; heat?: Heat; unit?: Unit; label?: string; opens?: (host: string) => void };
    }
  }
}
