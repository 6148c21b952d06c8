// The legend of a chart: a button for each line, with its colour, name and
// value. It writes text nodes only; a value that has not changed is not written.

import { seriesColours } from './theme.ts';

/** The characters of a name that fit into one of two columns. */
const shortName = 9;

/** Whether a name needs a row of its own. */
export function isLong(name: string): boolean {
  return name.length > shortName;
}

/**
 * The words, with the blank behind them, with which all names begin. Each name has at
 * least a word more. Blanks in quotes are no ends of words.
 */
export function sharedStart(names: string[]): string {
  if (names.length < 2) return '';
  const words = names.map((name) => name.split(/["{]/, 1)[0].split(' '));
  const most = Math.min(...names.map((name, i) => words[i].length - (name.endsWith(' ') ? 2 : 1)));
  let n = 0;
  while (n < most && words.every((w) => w[n] === words[0][n])) n++;
  return n === 0 ? '' : words[0].slice(0, n).join(' ') + ' ';
}

export interface LegendActions {
  toggle(line: number, solo: boolean): void;
  expand(): void;
}

export interface LegendLine {
  name: string;
  /** Key and labels in full, for a tooltip. */
  full: string;
  slot: number;
  shown: boolean;
}

interface Row {
  button: HTMLButtonElement;
  values: Text[];
}

export class Legend {
  readonly element = document.createElement('ul');
  private rows: Row[] = [];
  private readonly moreItem = document.createElement('li');
  private readonly moreButton = document.createElement('button');

  constructor(private readonly actions: LegendActions) {
    this.element.className = 'legend';
    this.moreItem.className = 'more';
    this.moreButton.type = 'button';
    this.moreButton.addEventListener('click', () => actions.expand());
    this.moreItem.append(this.moreButton);
  }

  /**
   * Shows these lines. `more` is the text of the last button, '' for none; `wide`
   * makes room for values that are ranges. `columns` are the names of the values of
   * a line, if it has several.
   */
  show(lines: LegendLine[], more: string, wide: boolean, columns: string[] = []): void {
    const { classList } = this.element;
    classList.toggle('wide', wide && columns.length === 0);
    classList.toggle('columns', columns.length > 0);
    classList.toggle('one', lines.length === 1);
    const shared = sharedStart(lines.map((l) => l.name)).length;
    this.rows = lines.map((line, i) => this.row(line, i, shared, columns.length || 1));
    this.element.replaceChildren(
      ...(columns.length > 0 ? [headOf(columns)] : []),
      ...this.rows.map((r) => itemOf(r.button)),
    );
    // Two columns have room for short names only.
    this.element.classList.toggle('long', lines.some((l) => isLong(l.name.slice(shared))));
    this.setMore(more);
  }

  setMore(text: string): void {
    if (this.moreButton.textContent !== text) this.moreButton.textContent = text;
    if (text === '') this.moreItem.remove();
    else if (!this.moreItem.isConnected) this.element.append(this.moreItem);
  }

  /** Writes the values: for each line as many as there are columns. */
  values(rows: string[][]): void {
    rows.forEach((texts, i) => {
      this.rows[i]?.values.forEach((node, n) => {
        const text = texts[n] ?? '';
        if (node.data !== text) node.data = text;
      });
    });
  }

  /** Marks each line as shown or hidden. */
  press(lines: { shown: boolean }[]): void {
    lines.forEach(({ shown }, i) => this.rows[i]?.button.setAttribute('aria-pressed', String(shown)));
  }

  private row({ name: text, full, slot, shown }: LegendLine, i: number, shared: number, columns: number): Row {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = shared > 0 ? `${text}\n${full}` : full;
    button.setAttribute('aria-pressed', String(shown));
    button.addEventListener('click', (e) =>
      this.actions.toggle(i, e.ctrlKey || e.metaKey || e.shiftKey),
    );
    const swatch = document.createElement('i');
    swatch.dataset.slot = String(slot % seriesColours);
    if (slot >= seriesColours) swatch.dataset.dashed = '';
    const name = document.createElement('span');
    name.textContent = text.slice(shared);
    // The end of a long name is cut: it leads with what tells it from the others.
    if (shared > 0) {
      const start = document.createElement('em');
      start.className = 'unseen';
      start.textContent = text.slice(0, shared);
      name.prepend(start);
    }
    button.append(swatch, name);
    const values = Array.from({ length: columns }, () => {
      const output = document.createElement('b');
      output.append('–');
      button.append(output);
      return output.firstChild as Text;
    });
    return { button, values };
  }
}

function itemOf(child: HTMLElement): HTMLElement {
  const item = document.createElement('li');
  item.append(child);
  return item;
}

/** The names of the columns, for sighted users. */
function headOf(columns: string[]): HTMLElement {
  const names = document.createElement('div');
  names.append(
    ...columns.map((text) => {
      const name = document.createElement('small');
      name.textContent = text;
      return name;
    }),
  );
  return itemOf(names);
}
