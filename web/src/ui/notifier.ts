// Notifications of this browser about alerts that begin to fire, if somebody wanted
// them here. Every tab runs one of these; a lock and what the browser remembers see to
// it that an alert is told once. It is loaded only where they were wanted.

import { effect } from '@preact/signals';
import { toldAfter, untold, wordsOf, type Told, type Words } from '../data/telling.ts';
import type { Alert } from '../data/wire.gen.ts';
import { load, save } from '../lib/storage.ts';
import type { Parts } from '../parts.ts';

const settle = 1_500; // ms that more may come in, to be told together
const memory = 24 * 3600_000; // ms

/** Whether somebody wants them here. */
export function wanted(): boolean {
  return load('notify', false);
}

/** Why there can be none, or '' where there can. */
export function obstacle(): string {
  if (!globalThis.isSecureContext) return 'Browsers notify for pages over HTTPS only, or of this machine.';
  if (!('Notification' in globalThis) || !navigator.locks) return 'This browser has no notifications.';
  if (Notification.permission === 'denied') return 'This browser blocks notifications of this address. Allow them in its settings of the site.';
  return '';
}

/** Switches them on, or off. It has to be called by a gesture: the browser asks whether they are allowed. */
export async function want(on: boolean, alerts: Alert[]): Promise<void> {
  const may = on && obstacle() === '' && (await Notification.requestPermission()) === 'granted';
  // What fires already is on the screen of who switches them on.
  if (may) await once((told) => [toldAfter(alerts, told, Date.now(), memory), null]);
  save('notify', may);
  dispatchEvent(new StorageEvent('storage', { key: 'vedette.notify' })); // other tabs hear of it by themselves
}

/** Reads and writes what was told while no other tab does. */
async function once<T>(act: (told: Told) => [Told, T]): Promise<T> {
  return await navigator.locks.request('vedette.told', () => {
    const [told, result] = act(load<Told>('told', {}));
    save('told', told);
    return result;
  });
}

export class Notifier {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopEffect: (() => void) | undefined;

  constructor(
    private readonly fleet: Parts['fleet'],
    private readonly router: Pick<Parts['router'], 'go'>,
  ) {}

  /** Follows what fires. stop() is its pair. */
  start(): void {
    this.stopEffect = effect(() => {
      if (untold(this.fleet.alerts.value, load<Told>('told', {})).length === 0) return;
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        void this.tell();
      }, settle);
    });
  }

  stop(): void {
    this.stopEffect?.();
    clearTimeout(this.timer);
  }

  private async tell(): Promise<void> {
    if (!wanted() || obstacle() !== '' || Notification.permission !== 'granted') return;
    const alerts = this.fleet.alerts.peek();
    const fresh = await once((told) => [toldAfter(alerts, told, Date.now(), memory), untold(alerts, told)]);
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
