// The charts of a host in groups: those of one first segment together, with the
// inspectors that yield them; and those that show nothing but zeros. Pure.

import { inspectorOf, selfChart, type Chart, type HostModel } from '../data/store.ts';
import type { InspectorStatus } from '../data/wire.ts';

export interface Group {
  name: string;
  /** The inspectors that yield its lines, by name. */
  inspectors: InspectorStatus[];
  charts: Chart[];
}

export function groupsOf(host: HostModel, charts: Chart[]): Group[] {
  const groups = new Map<string, Group>();
  for (const chart of charts) {
    if (chart.name === selfChart) continue;
    const group = groups.get(chart.name) ?? { name: chart.name, inspectors: [], charts: [] };
    group.charts.push(chart);
    for (const { key } of chart.series) {
      const inspector = inspectorOf(host, key);
      if (inspector && !group.inspectors.some((i) => i.name === inspector.name)) group.inspectors.push(inspector);
    }
    groups.set(chart.name, group);
  }
  for (const g of groups.values()) g.inspectors.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...groups.values()];
}

const enough = 5; // samples of a line before it counts as idle

/** Whether all that is known of a chart is zeros: of a counter, that it never grew. */
export function idle(chart: Chart): boolean {
  return chart.series.every(({ track, past, rate }) => {
    if (track.length < enough || (past && past.length > 0)) return false;
    const first = rate ? track.values[track.start] : 0;
    for (let i = track.start; i < track.end; i++) if (track.values[i] !== first) return false;
    return true;
  });
}
