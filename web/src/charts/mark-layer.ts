// Marks over the plot of a chart: a line at the time of each event, with a head that
// describes it and links to it.

import type uPlot from 'uplot';
import { inspectorOf, type Chart } from '../data/store.ts';
import { exact } from '../lib/time.ts';
import { marksFor, type Mark } from './marks.ts';

const most = 40; // marks of a chart

export class MarkLayer {
  private readonly element = document.createElement('div');
  private shown: { mark: Mark; link: HTMLAnchorElement }[] = [];
  private known = '';

  constructor(private readonly box: HTMLElement) {
    this.element.className = 'marks';
  }

  /** Takes the marks of the host of a chart. */
  show(all: Mark[], chart: Chart): void {
    const inspectors = new Set(chart.series.flatMap((s) => inspectorOf(chart.host, s.key)?.name ?? []));
    const marks = marksFor(all, inspectors).slice(-most);
    const known = JSON.stringify(marks);
    if (known === this.known) return;
    this.known = known;
    this.shown = marks.map((mark) => ({ mark, link: linkOf(mark) }));
    this.element.replaceChildren(...this.shown.map((s) => s.link));
    if (marks.length === 0) this.element.remove();
    else if (!this.element.isConnected) this.box.before(this.element);
  }

  /** Moves each mark to its time, and hides those outside the plot. */
  place(plot: uPlot | null): void {
    const { min = 0, max = 0 } = plot?.scales.x ?? {};
    for (const { mark, link } of this.shown) {
      const at = mark.at / 1000;
      link.hidden = !plot || at < (min ?? 0) || at > (max ?? 0);
      if (!plot || link.hidden) continue;
      link.style.transform = `translateX(${Math.round(plot.valToPos(at, 'x') + plot.bbox.left / devicePixelRatio)}px)`;
      link.style.height = `${Math.round((plot.bbox.height + plot.bbox.top) / devicePixelRatio)}px`;
    }
  }
}

function linkOf({ tone, text, href, at }: Mark): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = href;
  link.dataset.tone = tone;
  link.title = `${text}\n${exact(at)}`;
  link.setAttribute('aria-label', `${exact(at)}: ${text}`);
  return link;
}
