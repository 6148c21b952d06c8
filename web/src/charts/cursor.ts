// The crosshair of a chart, moved by the mouse or by keys.

import type uPlot from 'uplot';

/** The row to which a key moves; null removes the crosshair, undefined is not our key. */
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
    /** Tells a screen reader what is at a row; null for nowhere. */
    private readonly tell: (row: number | null) => void,
  ) {}

  /** Makes an element the focusable plot of a chart, and listens to its keys. */
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

  /** After new data the crosshair stays under the mouse, on other samples. */
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
