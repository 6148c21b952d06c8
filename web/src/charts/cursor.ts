// The crosshair of a chart: by the mouse, and by the keys.

import type uPlot from 'uplot';

/** The row that a key leads to from one; null takes the crosshair away, undefined is no key of ours. */
export function rowFor(key: string, shift: boolean, at: number, last: number): number | null | undefined {
  const leap = shift ? 10 : 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, at - leap);
    case 'ArrowRight':
      return Math.min(last, at + leap);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}

export class Cursor {
  constructor(
    private readonly plot: () => uPlot | null,
    /** Times of the rows, in seconds. */
    private readonly times: () => number[],
    /** Tells what is at a row to who cannot see it; null for nowhere. */
    private readonly tell: (row: number | null) => void,
  ) {}

  /** Makes an element the plot of a chart, which can have the focus, and listens to its keys. */
  listen(box: HTMLElement): void {
    box.className = 'plot';
    box.tabIndex = 0;
    box.setAttribute('role', 'img');
    box.setAttribute('aria-label', 'Chart'); // until it is drawn, and says what it shows
    box.addEventListener('keydown', (e) => this.key(e));
    box.addEventListener('blur', () => this.move(null));
  }

  /** The row of the crosshair; null where it is nowhere. */
  get row(): number | null {
    const row = this.plot()?.cursor.idx ?? null;
    return row !== null && this.times()[row] !== undefined ? row : null;
  }

  /** After new data the crosshair stands where the mouse is, on other samples. */
  keep(): void {
    const plot = this.plot();
    const { left, top } = plot?.cursor ?? {};
    if (plot && left !== undefined && left >= 0) plot.setCursor({ left, top: top ?? 0 }, false);
  }

  private key(e: KeyboardEvent): void {
    const last = this.times().length - 1;
    if (!this.plot() || last < 0) return;
    const row = rowFor(e.key, e.shiftKey, this.row ?? last, last);
    if (row === undefined) return;
    this.move(row);
    e.preventDefault();
  }

  private move(row: number | null): void {
    const plot = this.plot();
    if (!plot) return;
    if (row === null) plot.setCursor({ left: -10, top: -10 });
    else plot.setCursor({ left: plot.valToPos(this.times()[row], 'x'), top: 0 });
    this.tell(row);
  }
}
