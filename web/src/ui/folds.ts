// What panels of the first page share: which are folded, which the browser stores, and
// their heights.

import { signal } from '@preact/signals';
import { load, save } from '../lib/storage.ts';

export class Folds {
  /** Pixels that the charts of a panel took last: the guess for one that has none yet. */
  height = 900;

  private readonly names = signal(new Set(load<string[]>('folded', [])));

  has(name: string): boolean {
    return this.names.value.has(name);
  }

  set(names: string[], folded: boolean): void {
    const all = new Set(this.names.peek());
    for (const name of names) {
      if (folded) all.add(name);
      else all.delete(name);
    }
    this.names.value = all;
    save('folded', [...all]);
  }
}
