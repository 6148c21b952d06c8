// The newest samples of a chart as a table, for people who cannot see lines, and for
// copying. It is a snapshot, because a changing table cannot be read.

import type { Chart } from '../data/store.ts';
import { clock } from '../lib/time.ts';
import { valueText, type Frame } from './frame.ts';

const most = 120; // rows

export function tableOf(frame: Frame, names: string[], chart: Chart): HTMLElement {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const text of ['Time', ...names]) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = text;
    head.append(cell);
  }
  const body = table.createTBody();
  const rows = frame.times.length;
  for (let r = rows - 1; r >= Math.max(0, rows - most); r--) {
    if (frame.columns.every((c) => typeof c[r] !== 'number')) continue;
    const row = body.insertRow();
    row.insertCell().textContent = clock(frame.times[r] * 1000);
    frame.columns.forEach((_, line) => {
      row.insertCell().textContent = valueText(frame, line, r, chart.unit) || '';
    });
  }
  const box = document.createElement('div');
  box.className = 'rows';
  box.tabIndex = 0;
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', `Samples of ${chart.name}`);
  box.append(table);
  return box;
}
