// Finds the entries that a few typed letters fit. Pure.

import { compareNames } from '../data/names.ts';

/** How well a text fits the typed letters: 0 is not at all, more is better. */
export function score(text: string, typed: string): number {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 1;
  const low = text.toLowerCase();
  let total = 0;
  for (const word of words) {
    const one = scoreWord(low, word);
    if (one === 0) return 0;
    total += one;
  }
  return total / words.length;
}

function scoreWord(text: string, word: string): number {
  if (text === word) return 100;
  if (text.startsWith(word)) return 80;
  const at = text.indexOf(word);
  if (at > 0) return /[^a-z0-9]/.test(text[at - 1]) ? 60 : 40;
  // The letters in order, such as wb1 for web-1.
  let from = 0;
  for (const letter of word) {
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return 10;
}

/** The best, the best first; those that fit alike by name. */
export function best<T>(list: T[], text: (t: T) => string, typed: string, most: number): T[] {
  return list
    .map((item) => ({ item, score: score(text(item), typed) }))
    .filter((r) => r.score > 0)
    .sort((a, b) => b.score - a.score || (typed ? compareNames(text(a.item), text(b.item)) : 0))
    .slice(0, most)
    .map((r) => r.item);
}
