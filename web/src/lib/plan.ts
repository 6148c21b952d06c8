// Stages and durations as people write them: 1,10%,100% and 30s.

import type { Plan, Stage } from '../data/catalog.ts';
import { duration } from './units.ts';

/** Parses `1,10%,100%`; '' is all at once. Throws an error that names the fault. */
export function parseStages(text: string): Stage[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const m = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(part);
      const n = Number(m?.[1]);
      if (!m || n <= 0) throw new Error(`“${part}” is no stage: write a number of hosts, such as 1, or a share, such as 10%`);
      if (m[2]) {
        if (n > 100) throw new Error(`“${part}” is more than all hosts`);
        return { percent: n };
      }
      if (!Number.isInteger(n)) throw new Error(`“${part}” is no whole number of hosts`);
      return { hosts: n };
    });
}

const lengths: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** The ms of `30s`, `5m`, `1h`, `1m30s`; '' is 0. Throws an error that names the fault. */
export function parseDuration(text: string): number {
  const clean = text.replaceAll(/\s/g, '');
  let ms = 0;
  let rest = clean;
  while (rest) {
    const m = /^(\d+(?:\.\d+)?)(ms|s|min|m|h)/.exec(rest);
    if (!m) throw new Error(`“${text}” is no length of time: write 30s, 5m or 1h`);
    ms += Number(m[1]) * lengths[m[2]];
    rest = rest.slice(m[0].length);
  }
  return ms;
}

/** The name of a stage of a rollout. */
export function stageName(stage: { hosts?: number; count?: number; percent?: number }): string {
  const hosts = stage.count ?? stage.hosts;
  if (hosts) return hosts === 1 ? '1 host' : `${hosts} hosts`;
  return stage.percent === 100 ? 'all hosts' : `${stage.percent ?? 0} % of hosts`;
}

/** A plan in a few words. */
export function planText({ stages, bake_ms }: Plan): string {
  const names = (stages ?? []).map(stageName);
  const bake = bake_ms ? `, each stays well for ${duration(bake_ms / 1000)}` : '';
  return names.length > 1 ? names.join(', then ') + bake : 'all at once';
}
