// The legend of a chart: a button for each line, with its colour, name and
// value. It writes text nodes only; a value that has not changed is not written.

import { seriesColours } from './theme.ts';

/** Characters of a name that fit into one of two columns. */
const shortName = 9;

/** Whether a name needs a row of its own. */
export function isLong(name: string): boolean {
  return name.length > shortName;
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
  value: Text;
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
   * makes room for values that are ranges.
   */
  show(lines: LegendLine[], more: string, wide: boolean): void {
    this.element.classList.toggle('wide', wide);
    this.rows = lines.map((line, i) => this.row(line, i));
    this.element.replaceChildren(
      ...this.rows.map((r) => {
        const item = document.createElement('li');
        item.append(r.button);
        return item;
      }),
    );
    // Two columns have room for short names only.
    this.element.classList.toggle('long', lines.some((l) => isLong(l.name)));
    this.setMore(more);
  }

  setMore(text: string): void {
    if (this.moreButton.textContent !== text) this.moreButton.textContent = text;
    if (text === '') this.moreItem.remove();
    else if (!this.moreItem.isConnected) this.element.append(this.moreItem);
  }

  values(texts: string[]): void {
    texts.forEach((text, i) => {
      const node = this.rows[i]?.value;
      if (node && node.data !== text) node.data = text;
    });
  }

  press(line: number, shown: boolean): void {
    this.rows[line]?.button.setAttribute('aria-pressed', String(shown));
  }

  private row({ name: text, full, slot, shown }: LegendLine, i: number): Row {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = full;
    button.setAttribute('aria-pressed', String(shown));
    button.addEventListener('click', (e) =>
      this.actions.toggle(i, e.ctrlKey || e.metaKey || e.shiftKey),
    );
    const swatch = document.createElement('i');
    swatch.dataset.slot = String(slot % seriesColours);
    if (slot >= seriesColours) swatch.dataset.dashed = '';
    const name = document.createElement('span');
    name.textContent = text;
    const output = document.createElement('b');
    const value = document.createTextNode('–');
    output.append(value);
    button.append(swatch, name, output);
    return { button, value };
  }
}
