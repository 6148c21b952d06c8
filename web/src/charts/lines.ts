// The lines of a chart: those that are drawn, their colours, and those that the user
// has hidden.

import type { Chart, Series } from '../data/store.ts';
import { hasLongNames, hiddenAfter, moreText, mostLines, slotsOf, type Room } from './choose.ts';
import { topLines } from './frame.ts';

const chooseAgain = 15_000; // ms between two choices of the top lines

export interface Look {
  /** Place among the colours. */
  slot: number;
  shown: boolean;
}

export class Lines {
  drawn: Series[] = [];
  private slots = new Map<string, number>();
  private hidden: ReadonlySet<string> = new Set();
  private expanded = false;
  private chosenAt = 0;

  constructor(
    private readonly chart: () => Chart,
    private readonly large: () => boolean,
  ) {}

  private get room(): Room {
    return { large: this.large(), expanded: this.expanded, long: hasLongNames(this.chart()) };
  }

  /** Makes the next choice happen at once. */
  stale(): void {
    this.chosenAt = 0;
  }

  /** Chooses again if it is time to; true if the lines have changed. */
  choose(now: number): boolean {
    if (now - this.chosenAt < chooseAgain) return false;
    this.chosenAt = now;
    const before = this.drawn;
    this.drawn = topLines(this.chart().series, mostLines(this.room), new Set(before.map((s) => s.id)));
    if (this.drawn.length === before.length && this.drawn.every((s, i) => s === before[i])) return false;
    const ids = this.drawn.map((s) => s.id);
    // If all are drawn, each has the colour of its position, which is the same on every
    // host.
    const all = ids.length === this.chart().series.length;
    this.slots = all ? new Map(ids.map((id, i) => [id, i])) : slotsOf(this.slots, ids);
    return true;
  }

  /** The text of the button below the legend. */
  get more(): string {
    return moreText(this.chart().series.length, this.drawn.length, this.room);
  }

  /** The appearance of each drawn line. */
  get looks(): Look[] {
    return this.drawn.map((s) => this.look(s));
  }

  look(s: Series): Look {
    return { slot: this.slots.get(s.id) ?? 0, shown: !this.hidden.has(s.id) };
  }

  /** Shows all lines, or the largest again. */
  expand(): void {
    this.expanded = !this.expanded;
    this.stale();
  }

  /** Hides lines by their ids, including those of other charts. */
  hide(ids: Iterable<string>): void {
    this.hidden = new Set(ids);
  }

  /** The hidden lines, on other charts and on this one. */
  hiddenBeside(all: string[]): string[] {
    const own = this.drawn.map((s) => s.id);
    return [...all.filter((id) => !own.includes(id)), ...own.filter((id) => this.hidden.has(id))];
  }

  /** Shows or hides a line. solo shows only that line, or all if it is already alone. */
  toggle(line: number, solo: boolean): void {
    const all = this.drawn.map((s) => s.id);
    this.hidden = hiddenAfter(all, this.hidden, all[line], solo);
  }
}
