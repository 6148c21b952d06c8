// Notifications of this browser about alerts that begin to fire, if the user wants them
// here. Every tab runs a notifier, but only one at a time notifies; the browser's
// storage keeps the next one from repeating. It is loaded only if notifications are on.

import { effect } from '@preact/signals';
import { toldAfter, untold, wordsOf, type Told, type Words } from '../data/telling.ts';
import type { Alert } from '../data/wire.gen.ts';
import { load, save } from '../lib/storage.ts';
import type { Parts } from '../parts.ts';

const settle = 1_500; // ms to wait for more alerts, to notify about all of them together
const memory = 24 * 3600_000; // ms

/** Whether somebody wants them here. */
export function wanted(): boolean {
  return load('notify', false);
}

/** Why they are not possible, or ''. */
export function obstacle(): string {
  if (!globalThis.isSecureContext) return 'Browsers notify for pages over HTTPS only, or of this machine.';
  if (!('Notification' in globalThis) || !navigator.locks) return 'This browser has no notifications.';
  if (Notification.permission === 'denied') return 'This browser blocks notifications of this address. Allow them in its settings of the site.';
  return '';
}

/** Switches them on or off. It must be called by a user gesture, because the browser asks for permission. */
export async function want(on: boolean, alerts: Alert[]): Promise<void> {
  const may = on && obstacle() === '' && (await Notification.requestPermission()) === 'granted';
  // Alerts that fire already are on the screen of the user who switches them on.
  if (may) save('told', toldAfter(alerts, load<Told>('told', {}), Date.now(), memory));
  save('notify', may);
  dispatchEvent(new StorageEvent('storage', { key: 'vedette.notify' })); // other tabs hear of it by themselves
}

export class Notifier {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told: Told = {};
  private readonly ended = new AbortController();

  constructor(
    private readonly fleet: Parts['fleet'],
    private readonly router: Pick<Parts['router'], 'go'>,
  ) {}

  /**
   * Follows firing alerts, when no other tab does. Writes of another tab may be
   * seen here a moment later, so one tab notifies for as long as it is open. stop()
   * ends that.
   */
  start(): void {
    const { signal } = this.ended;
    void navigator.locks?.request('vedette.notifier', { signal }, () => this.follow(signal)).catch(() => {}); // stopped while it waited
  }

  stop(): void {
    this.ended.abort();
  }

  private follow(ended: AbortSignal): Promise<void> {
    const stop = effect(() => {
      if (untold(this.fleet.alerts.value, this.told).length === 0) return;
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        this.tell();
      }, settle);
    });
    return new Promise((done) => {
      ended.addEventListener('abort', () => {
        stop();
        clearTimeout(this.timer);
        done();
      });
    });
  }

  private tell(): void {
    if (!wanted() || obstacle() !== '' || Notification.permission !== 'granted') return;
    const alerts = this.fleet.alerts.peek();
    const before = { ...load<Told>('told', {}), ...this.told };
    const fresh = untold(alerts, before);
    this.told = toldAfter(alerts, before, Date.now(), memory);
    save('told', this.told);
    if (fresh.length > 0) this.show(wordsOf(fresh));
  }

  private show({ title, body, href, tag }: Words): void {
    const shown = new Notification(title, { body, tag, icon: '/favicon-bad.svg' });
    shown.addEventListener('click', () => {
      window.focus();
      this.router.go(href);
      shown.close();
    });
  }
}
