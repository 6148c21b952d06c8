// <query-chart>: the results of queries as lines, with their legend. It draws in the
// loop of the view when it gets an answer, and never by itself.
//
// Properties: view (shared by all charts), answer (the data), label (its description
// for screen readers), off (full names of hidden lines), hides (called when lines are
// shown or hidden), stats (the legend has the lowest, mean and highest value of each
// line beside its last).

import { frameOf, type QueryLine } from '../data/matrix.ts';
import type { Unit } from '../lib/units.ts';
import { hiddenAfter } from './choose.ts';
import { Cursor } from './cursor.ts';
import { Drawing } from './drawing.ts';
import type { Frame } from './frame.ts';
import { Legend } from './legend.ts';
import { statNames, Summary } from './stats.ts';
import { lastText, textAt, timeText } from './values.ts';
import type { Drawable, View } from './view.ts';

/** What a chart shows: lines on a grid of time. All times in ms. */
export interface Drawn {
  lines: QueryLine[];
  unit: Unit;
  step: number;
  /** The span of time, on the browser's clock. */
  from: number;
  to: number;
  /** Added to times of the answer to convert them to the browser's clock. */
  offset: number;
}

const nothing: Drawn = { lines: [], unit: '', step: 1000, from: 0, to: 1, offset: 0 };

export class QueryChart extends HTMLElement implements Drawable {
  readonly host = null;
  view!: View;
  label = '';
  stats = false;
  hides: (hidden: string[]) => void = () => {};
  private shown: Drawn = nothing;
  private without: ReadonlySet<string> = new Set();
  private made = ''; // what the plot was made for
  private drawnFor: Drawn | null = null;
  private readonly sums = new Summary(() => false);
  private readonly box = document.createElement('div');
  private readonly at = document.createElement('time');
  private readonly drawing = new Drawing(this.box);
  private readonly cursor = new Cursor(() => this.drawing.plot, () => this.drawing.frame.times, (row) => this.tell(row));
  private readonly legend = new Legend({ toggle: (line, solo) => this.toggle(line, solo), expand: () => {} });

  connectedCallback(): void {
    if (!this.firstChild) {
      this.cursor.listen(this.box);
      this.append(this.at, this.box, this.legend.element);
    }
    this.view.add(this, this.box);
  }

  disconnectedCallback(): void {
    this.view.remove(this, this.box);
  }

  set answer(drawn: Drawn) {
    if (drawn === this.shown) return;
    this.shown = drawn;
    if (this.isConnected) this.view.request(this);
  }

  set off(names: string[]) {
    if (names.length === this.without.size && names.every((n) => this.without.has(n))) return;
    this.without = new Set(names);
    this.applyHidden();
  }

  /** For tests: the last drawing. */
  get drawn(): { lines: string[]; frame: Frame } {
    return { lines: this.shown.lines.map((l) => l.full), frame: this.drawing.frame };
  }

  get created(): boolean {
    return this.drawing.plot !== null;
  }

  create(): void {
    const { lines, unit } = this.shown;
    this.made = this.plan();
    this.drawnFor = null;
    this.drawing.create(this, {
      unit,
      lines: lines.map((l, slot) => ({ slot, shown: !this.without.has(l.full) })),
      bands: false,
      onCursor: () => this.showValues(),
      onSelect: (from, to) => this.view.time.show(from, to),
      onDouble: () => this.view.time.zoomOut(),
    });
    this.box.setAttribute('aria-label', `${this.label || 'Chart of the query'}. Arrow keys read values.`);
    this.legend.show(lines.map((l, slot) => ({ name: l.name, full: l.full, slot, shown: !this.without.has(l.full) })), '', false, this.stats ? statNames : []);
  }

  destroy(): void {
    this.drawing.destroy();
  }

  fit(width: number, height: number): void {
    this.drawing.fit(width, height);
    this.drawnFor = null;
  }

  draw(): void {
    const { shown } = this;
    if (this.made !== this.plan()) this.create();
    if (this.drawnFor === shown) return;
    this.drawnFor = shown;
    this.drawing.draw(frameOf(shown.lines, shown.step, shown.offset), shown.from, shown.to);
    this.cursor.keep();
    this.showValues();
  }

  private plan(): string {
    return JSON.stringify([this.shown.unit, this.label, this.shown.lines.map((l) => [l.name, l.full])]);
  }

  private toggle(line: number, solo: boolean): void {
    const all = this.shown.lines.map((l) => l.full);
    this.without = hiddenAfter(all, this.without, all[line], solo);
    this.applyHidden();
    this.hides([...this.without]);
  }

  private applyHidden(): void {
    if (!this.created) return;
    const looks = this.shown.lines.map((l) => ({ shown: !this.without.has(l.full) }));
    this.drawing.show(looks);
    this.legend.press(looks);
    this.drawnFor = null;
    this.view.request(this);
  }

  /** Legend and time: at the crosshair, or the last. */
  private showValues(): void {
    const { frame } = this.drawing;
    const { unit, lines, step } = this.shown;
    const { row } = this.cursor;
    const text = row === null ? '' : timeText(frame.times[row], step, Date.now());
    if (this.at.textContent !== text) this.at.textContent = text;
    this.legend.values(
      lines.map((_, i) => {
        const last = row === null ? lastText(frame, i, unit) : textAt(frame, i, row, unit);
        return this.stats ? this.sums.cells(frame, i, unit, row, last) : [last];
      }),
    );
  }

  private tell(row: number | null): void {
    const { frame } = this.drawing;
    const { unit, lines, step } = this.shown;
    const values = (at: number): string => lines.map((l, i) => `${l.name} ${textAt(frame, i, at, unit)}`).join(', ');
    this.view.status.value = row === null ? '' : `${timeText(frame.times[row], step, Date.now())}: ${values(row)}`;
  }
}

export function defineQueryChart(): void {
  if (!customElements.get('query-chart')) customElements.define('query-chart', QueryChart);
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'query-chart': {
        key?: string;
        ref?: import('preact').Ref<QueryChart>;
        class?: string;
        view?: View;
        answer?: Drawn;
        label?: string;
        stats?: boolean;
        off?: string[];
        hides?: (hidden: string[]) => void;
      };
    }
  }
}
