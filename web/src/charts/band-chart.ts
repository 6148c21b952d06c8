// <band-chart>: the median of many hosts, in the band that contains most of them.

import type { Unit } from '../lib/units.ts';
import { Cursor } from './cursor.ts';
import { Drawing } from './drawing.ts';
import type { Frame } from './frame.ts';
import { timeText, textAt } from './values.ts';
import type { Drawable, View } from './view.ts';

const nothing: Frame = { times: [], columns: [[]], lows: [[]], middles: [[]], lonely: [[]] };

export class BandChart extends HTMLElement implements Drawable {
  readonly host = null;
  view!: View;
  unit: Unit = '';
  label = '';
  private shown: Frame = nothing;
  private readonly box = document.createElement('div');
  private readonly said = document.createElement('p');
  private readonly drawing = new Drawing(this.box);
  private readonly cursor = new Cursor(() => this.drawing.plot, () => this.shown.times, () => this.tell(true));

  connectedCallback(): void {
    if (!this.firstChild) {
      this.cursor.listen(this.box);
      this.said.className = 'hint';
      this.append(this.said, this.box);
    }
    this.view.add(this, this.box);
  }

  disconnectedCallback(): void {
    this.view.remove(this, this.box);
  }

  set frame(frame: Frame) {
    this.shown = frame;
    if (this.isConnected) this.view.request(this);
  }

  get created(): boolean {
    return this.drawing.plot !== null;
  }

  create(): void {
    this.box.setAttribute('aria-label', `${this.label}: the median of all hosts, and the band of eight in ten. Arrow keys read values.`);
    this.drawing.create(this, {
      unit: this.unit,
      lines: [{ slot: 0, shown: true }],
      bands: true,
      onCursor: () => this.tell(false),
      onSelect: (from, to) => this.view.time.show(from, to),
      onDouble: () => this.view.time.zoomOut(),
    });
  }

  destroy(): void {
    this.drawing.destroy();
  }

  fit(width: number, height: number): void {
    this.drawing.fit(width, height);
  }

  draw(must: boolean): void {
    const { times } = this.shown;
    if (!must || times.length === 0) return;
    this.drawing.draw(this.shown, times[0] * 1000, Math.max(times[0] * 1000 + 1, times[times.length - 1] * 1000));
    this.cursor.keep();
    this.tell(false);
  }

  private tell(aloud: boolean): void {
    const { times, middles } = this.shown;
    const { row } = this.cursor;
    const middle: Frame = { times, columns: middles ?? [[]], lonely: [[]] };
    const text = row === null ? 'The median of all hosts, within the band that eight in ten are in' : `${timeText(times[row], 0, Date.now())}: median ${textAt(middle, 0, row, this.unit)}, eight in ten ${textAt(this.shown, 0, row, this.unit)}`;
    if (this.said.textContent !== text) this.said.textContent = text;
    if (aloud) this.view.status.value = row === null ? '' : text;
  }
}

export function defineBandChart(): void {
  if (!customElements.get('band-chart')) customElements.define('band-chart', BandChart);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'band-chart': { key?: string; class?: string; view?: View; frame?: Frame; unit?: Unit; label?: string };
    }
  }
}
