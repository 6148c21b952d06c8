// The difference of two texts, line by line.

export interface DiffLine {
  kind: 'same' | 'added' | 'removed';
  text: string;
  /** The numbers of the line before and after, from 1; 0 if it is not there. */
  before: number;
  after: number;
}

/** The most lines, squared, that may differ in the middle; beyond that the middle is replaced as a whole. */
const most = 4_000_000;

/** All lines of both texts, in order. */
export function diff(before: string, after: string): DiffLine[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const out: DiffLine[] = [];
  const put = (kind: DiffLine['kind'], i: number, j: number): void => {
    out.push({ kind, text: kind === 'added' ? b[j] : a[i], before: kind === 'added' ? 0 : i + 1, after: kind === 'removed' ? 0 : j + 1 });
  };
  for (let i = 0; i < head; i++) put('same', i, i);
  for (const [kind, i, j] of middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) put(kind, head + i, head + j);
  for (let i = tail; i > 0; i--) put('same', a.length - i, b.length - i);
  return out;
}

type Step = [DiffLine['kind'], number, number];

function middle(a: string[], b: string[]): Step[] {
  const width = b.length + 1;
  const steps: Step[] = [];
  if ((a.length + 1) * width > most) {
    a.forEach((_, i) => steps.push(['removed', i, 0]));
    b.forEach((_, j) => steps.push(['added', a.length, j]));
    return steps;
  }
  // The longest common part of the rest, from each place.
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] = a[i] === b[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
    }
  }
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const at = i * width + j;
    if (i < a.length && j < b.length && a[i] === b[j]) steps.push(['same', i++, j++]);
    else if (i < a.length && (j === b.length || common[at + width] >= common[at + 1])) steps.push(['removed', i++, j]);
    else steps.push(['added', i, j++]);
  }
  return steps;
}

/** Changed lines with some around them; null marks omitted lines. */
export function hunks(lines: DiffLine[], around = 3): (DiffLine | null)[] {
  const near = new Set<number>();
  lines.forEach((l, i) => {
    if (l.kind === 'same') return;
    for (let k = i - around; k <= i + around; k++) near.add(k);
  });
  const out: (DiffLine | null)[] = [];
  lines.forEach((line, i) => {
    if (near.has(i)) out.push(line);
    else if (out.length === 0 || out[out.length - 1] !== null) out.push(null);
  });
  return near.size === 0 ? [] : out;
}

/** The numbers of added and removed lines. */
export function counts(lines: DiffLine[]): { added: number; removed: number } {
  const of = (kind: DiffLine['kind']): number => lines.filter((l) => l.kind === kind).length;
  return { added: of('added'), removed: of('removed') };
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\n$/, '').split('\n');
}
