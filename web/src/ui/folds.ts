// Which panels of the first page are folded; remembered.

import { signal } from '@preact/signals';
import { load, save } from '../lib/storage.ts';

export class Folds {
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
