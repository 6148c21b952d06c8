// The heading of a chart: its name, its unit, the time of the crosshair, and its
// buttons.

import type { Chosen } from './chart-menu.ts';

export class Heading {
  readonly element = document.createElement('header');
  private readonly unit = document.createElement('span');
  private readonly at = document.createElement('time');

  constructor(name: string) {
    const title = document.createElement('h3');
    title.textContent = name;
    this.unit.className = 'unit';
    this.element.append(title, this.unit, this.at);
  }

  describe(text: string): void {
    this.unit.textContent = text;
  }

  /** The time of the crosshair, or ''. */
  time(text: string): void {
    if (this.at.textContent !== text) this.at.textContent = text;
  }

  /** Adds a button in front of those that were added before. */
  add(button: HTMLElement): void {
    this.at.after(button);
  }
}

function smallButton(text: string, label: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'as-table';
  button.textContent = text;
  button.setAttribute('aria-label', label);
  return button;
}

/** A button that opens and closes a part below the chart, whose code may have to be loaded first. */
export function foldButton(text: string, label: string, below: HTMLElement, open: () => HTMLElement | Promise<HTMLElement>): HTMLButtonElement {
  const button = smallButton(text, label);
  let shown: HTMLElement | undefined;
  let opens = false;
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', async () => {
    opens = !opens;
    button.setAttribute('aria-pressed', String(opens));
    shown?.remove();
    if (!opens) return;
    const next = await open();
    shown?.remove();
    shown = next;
    if (opens) below.append(shown);
  });
  return button;
}

/** A button that opens the menu of a chart. */
export function menuButton(name: string, chosen: () => Chosen): HTMLButtonElement {
  const button = smallButton('⋯', `More of ${name}`);
  button.setAttribute('aria-haspopup', 'true');
  button.addEventListener('click', () => void import('./chart-menu.ts').then((m) => m.openMenu(button, chosen())));
  return button;
}
