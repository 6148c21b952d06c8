// The switch for notifications of alerts in this browser. It is off by default.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Parts } from '../parts.ts';
import { obstacle, want, wanted } from './notifier.ts';

export function NotifySwitch({ fleet }: Pick<Parts, 'fleet'>) {
  const on = useSignal(wanted() && obstacle() === '');
  const why = useSignal('');
  useEffect(() => {
    const look = (): void => void (on.value = wanted() && obstacle() === '');
    addEventListener('storage', look);
    return () => removeEventListener('storage', look);
  }, []);
  const turn = async (to: boolean): Promise<void> => {
    await want(to, fleet.alerts.peek());
    on.value = wanted();
    why.value = to && !on.value ? obstacle() || 'This browser was not allowed to notify.' : '';
  };
  return (
    <>
      <label class="row" title="Notifies of each alert that begins to fire, while a tab of this page is open">
        <input type="checkbox" checked={on.value} onChange={(e) => void turn(e.currentTarget.checked).catch((e: unknown) => (why.value = String(e)))} />
        Notify in this browser
      </label>
      {why.value && (
        <span class="said" role="alert">
          {why}
        </span>
      )}
    </>
  );
}
