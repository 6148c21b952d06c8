// The parts of time that are known: sorted spans with gaps between them.

/** From and to in milliseconds. */
export type Span = [from: number, to: number];

export class Spans {
  private list: Span[] = [];

  /** Marks a span as known. */
  add(from: number, to: number): void {
    if (!(from < to)) return;
    const apart: Span[] = [];
    for (const [a, b] of this.list) {
      if (b < from || a > to) {
        apart.push([a, b]);
      } else {
        from = Math.min(from, a);
        to = Math.max(to, b);
      }
    }
    apart.push([from, to]);
    this.list = apart.sort((a, b) => a[0] - b[0]);
  }

  clear(): void {
    this.list = [];
  }

  /**
   * The newest unknown part of a span, or null. Parts shorter than `least` are
   * ignored, because clocks are not that exact.
   */
  missing(from: number, to: number, least: number): Span | null {
    let end = to;
    for (let i = this.list.length - 1; i >= 0; i--) {
      const [a, b] = this.list[i];
      if (a > end) continue;
      if (b < from) break;
      if (b < end && end - b >= least) return [b, end];
      end = a;
    }
    return end - from >= least ? [from, end] : null;
  }
}
