// The lines of a chart: which are drawn, in which colours, and which somebody
// has hidden.

import type { Chart, Series } from '../data/store.ts';
import { hasLongNames, moreText, mostLines, slotsOf, type Room } from './choose.ts';
import { topLines } from './frame.ts';

const chooseAgain = 15_000; // ms between two choices of the top lines

export class Lines {
  drawn: Series[] = [];
  private slots = new Map<string, number>();
  private readonly hidden = new Set<string>();
  private expanded = false;
  private chosenAt = 0;

  constructor(
    private readonly chart: () => Chart,
    private readonly large: () => boolean,
  ) {}

  private get room(): Room {
    return { large: this.large(), expanded: this.expanded, long: hasLongNames(this.chart()) };
  }

  /** Has the next choice made at once. */
  stale(): void {
    this.chosenAt = 0;
  }

  /** Chooses anew where it is time to; true where there are others now. */
  choose(now: number): boolean {
    if (now - this.chosenAt < chooseAgain) return false;
    this.chosenAt = now;
    const before = this.drawn;
    this.drawn = topLines(this.chart().series, mostLines(this.room), new Set(before.map((s) => s.id)));
    if (this.drawn.length === before.length && this.drawn.every((s, i) => s === before[i])) return false;
    this.slots = slotsOf(this.slots, this.drawn.map((s) => s.id));
    return true;
  }

  /** What the button below the legend says. */
  get more(): string {
    return moreText(this.chart().series.length, this.drawn.length, this.room);
  }

  look(s: Series): { slot: number; shown: boolean } {
    return { slot: this.slots.get(s.id) ?? 0, shown: !this.hidden.has(s.id) };
  }

  /** Shows all lines, or the largest again. */
  expand(): void {
    this.expanded = !this.expanded;
    this.stale();
  }

  /** Shows or hides a line; solo shows it alone, and all when it is alone. */
  toggle(line: number, solo: boolean): void {
    const { id } = this.drawn[line];
    const { hidden } = this;
    if (solo) {
      const alone = !hidden.has(id) && this.drawn.every((s) => s.id === id || hidden.has(s.id));
      hidden.clear();
      if (!alone) for (const s of this.drawn) if (s.id !== id) hidden.add(s.id);
    } else if (!hidden.delete(id)) {
      hidden.add(id);
    }
  }
}
