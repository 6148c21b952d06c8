// The line above a chart: its name, its unit, the time of the crosshair, and its
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

  add(button: HTMLElement): void {
    this.element.append(button);
  }
}

/** A button that opens and closes something below the chart. */
export function foldButton(text: string, label: string, below: HTMLElement, open: () => HTMLElement): HTMLButtonElement {
  const button = document.createElement('button');
  let shown: HTMLElement | undefined;
  button.type = 'button';
  button.className = 'as-table';
  button.textContent = text;
  button.setAttribute('aria-pressed', 'false');
  button.setAttribute('aria-label', label);
  button.addEventListener('click', () => {
    const opens = !shown;
    shown?.remove();
    shown = opens ? open() : undefined;
    button.setAttribute('aria-pressed', String(opens));
    if (shown) below.append(shown);
  });
  return button;
}

/** A button that opens what can be done with a chart. */
export function menuButton(name: string, chosen: () => Chosen): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'as-table';
  button.textContent = '⋯';
  button.title = 'Explore, copy, save';
  button.setAttribute('aria-haspopup', 'true');
  button.setAttribute('aria-label', `More of ${name}`);
  button.addEventListener('click', () => void import('./chart-menu.ts').then((m) => m.openMenu(button, chosen())));
  return button;
}
