// For tests: a page with a master that answers as told.

import { signal } from '@preact/signals';
import { h, render, type ComponentType } from 'preact';
import { act } from 'preact/test-utils';
import { Store } from '../data/store.ts';
import type { Host } from '../data/wire.ts';
import type { PageProps } from '../parts.ts';

export interface Situation {
  /** What the master answers, by method; an error is thrown. */
  answers?: Record<string, unknown>;
  /** The query of the address. */
  query?: Record<string, string>;
  params?: Record<string, string>;
  hosts?: Partial<Host>[];
  operator?: boolean;
  /** The list of hosts has come. */
  ready?: boolean;
  /** What else the parts are. */
  more?: object;
}

export interface ShownPage {
  root: HTMLElement;
  /** What the master was asked, in order. */
  calls: [method: string, params: any][];
  /** Where the page led. */
  went: string[];
  press: (text: string) => Promise<void>;
}

export async function shownPage(Page: ComponentType<PageProps>, { answers = {}, query = {}, params = {}, hosts = [], operator = true, ready = true, more = {} }: Situation): Promise<ShownPage> {
  const calls: ShownPage['calls'] = [];
  const went: string[] = [];
  const rpc = {
    call: async (method: string, params: object) => {
      calls.push([method, params]);
      const answer = answers[method];
      if (answer instanceof Error) throw answer;
      return answer ?? {};
    },
    subscribe: () => ({ close: () => {} }),
  };
  const session = { rpc, may: (needs: string) => operator || needs === 'viewer', link: signal({ kind: 'live' }), info: signal({}), ready: signal(ready) };
  const router = {
    query: signal(new URLSearchParams(query).toString()),
    get: (name: string) => query[name] ?? '',
    set: (values: Record<string, string>) => void Object.assign(query, values),
    go: (to: string) => void went.push(to),
  };
  const store = new Store();
  for (const host of hosts) store.setHost({ host: '', state: 'up', since_ms: 1, last_seen_ms: 1, skew_ms: 0, series: 0, samples: 0, ...host });
  const fleet = { problems: signal([]), wrong: signal(new Map()), changes: signal([]), rollouts: signal([]), catalog: signal([]), alerts: signal([]), rate: signal(0) };
  const root = document.createElement('div');
  await act(() => render(h(Page, { session, router, store, fleet, view: {}, params, ...more } as unknown as PageProps), root));
  for (let i = 0; i < 3; i++) await act(async () => {}); // one answer may ask for the next
  const press = async (text: string): Promise<void> => {
    const button = [...root.querySelectorAll<HTMLElement>('button, input')].find((b) => b.textContent === text || b.getAttribute('aria-label') === text);
    if (!button) throw new Error(`there is no button ${text} in ${root.textContent}`);
    await act(async () => button.click());
  };
  return { root, calls, went, press };
}

/** The texts of what a selector finds. */
export function texts(root: HTMLElement, selector: string): string[] {
  return [...root.querySelectorAll(selector)].map((e) => e.textContent ?? '');
}
