// What a large chart has in addition to its lines: summary columns in its legend, a
// table, a button for more frequent samples, strips in place of lines for states, and
// marks. A chart loads this after it is drawn.

import { effect } from '@preact/signals';
import { Boosts } from '../data/boosts.ts';
import type { Chart } from '../data/store.ts';
import { BoostButton } from './boost-button.ts';
import type { Captions } from './captions.ts';
import type { ChartPage } from './chart-page.ts';
import type { Drawing, DrawingSpec } from './drawing.ts';
import { foldButton } from './heading.ts';
import type { Lines } from './lines.ts';
import { MarkLayer } from './mark-layer.ts';
import { Summary } from './stats.ts';
import { isStates, stripHeight, stripShape } from './strip.ts';
import { tableOf } from './table.ts';
import type { Drawable, View } from './view.ts';

/** The parts of a chart that are changed. */
export interface LargeParts {
  element: Drawable & HTMLElement & { chart: Chart; view: View; page?: ChartPage };
  box: HTMLElement;
  captions: Captions;
  drawing: Drawing;
  lines: Lines;
}

export class Large {
  private readonly boost: BoostButton | undefined;
  private readonly marks: MarkLayer;
  private strips = false;
  /** It was found not to show states, and stays so, to prevent flickering. */
  private never = false;
  private stops: (() => void)[] = [];

  constructor(private readonly of: LargeParts) {
    const { element, box, captions, drawing, lines } = of;
    const { chart, view, page } = element;
    captions.sums = new Summary(() => lines.drawn.length === 1);
    if (page) {
      page.boosts ??= Boosts.of(page.session);
      this.boost = new BoostButton(chart, page.boosts, () => view.grain === 0 && view.live && view.request(element));
      captions.heading.add(this.boost.element);
    }
    captions.heading.add(foldButton('Table', `Table of ${chart.name}`, element, () => tableOf(drawing.frame, captions.drawn, chart)));
    this.marks = new MarkLayer(box);
  }

  /** Follows what the page shares. stop() ends that. */
  start(): void {
    const { element } = this.of;
    this.boost?.start();
    this.stops.push(
      effect(() => {
        this.marks.show(element.page?.marks?.value ?? [], element.chart);
        this.place();
      }),
    );
  }

  stop(): void {
    this.boost?.stop();
    this.stops.splice(0).forEach((stop) => stop());
  }

  /** How lines are drawn; undefined for ordinary lines. */
  get shape(): DrawingSpec['shape'] {
    return this.strips ? stripShape : undefined;
  }

  /** Looks at the data of the chart; true if it must be drawn differently from now on. */
  look(): boolean {
    const { element, box, lines } = this.of;
    const before = this.strips;
    this.strips = !this.never && isStates(element.chart);
    if (before && !this.strips) this.never = true;
    const height = this.strips ? `${stripHeight(lines.drawn.length)}px` : '';
    if (box.style.height !== height) box.style.height = height;
    return this.strips !== before;
  }

  /** Moves marks to the places of their times. */
  place(): void {
    this.marks.place(this.of.drawing.plot);
  }
}
