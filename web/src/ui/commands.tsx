// Keys that work everywhere, and what they open. The palette and the list of keys are
// loaded on first use.

import { useSignal, type Signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Keys, writesInto, type Command } from '../lib/keys.ts';
import type { Page } from '../pages.ts';
import type { Parts } from '../parts.ts';

type Props = Parts & { pages: readonly Page[] };
type Opened = ComponentType<Props & { close: () => void; typed: Signal<string> }>;

export function Commands(props: Props) {
  const opened = useSignal<Opened | null>(null);
  const typed = useSignal('');
  const awaited = useSignal(false);
  const palette = (): void => {
    typed.value = '';
    awaited.value = true;
    void open(opened, import('./palette.tsx')).catch(() => (awaited.value = false));
  };
  const close = (): void => {
    opened.value = null;
    awaited.value = false;
  };
  useEffect(() => {
    const keys = new Keys();
    const onKey = (e: KeyboardEvent): void => {
      if (e.defaultPrevented) return;
      // Letters that are typed before the palette has loaded go into it.
      if (awaited.peek() && !document.querySelector('dialog[open]') && e.key.length === 1 && !e.ctrlKey && !e.metaKey && !e.altKey) {
        e.preventDefault();
        typed.value += e.key;
        return;
      }
      const command = keys.read(e, writesInto(e.target), performance.now());
      if (!command || (opened.peek() && command.kind !== 'palette')) return;
      e.preventDefault();
      if (command.kind === 'palette') palette();
      else run(command, props, opened);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const Component = opened.value;
  return (
    <>
      <button type="button" class="find" aria-keyshortcuts="Control+K" onClick={palette}>
        Go to <kbd>Ctrl K</kbd>
      </button>
      {Component && <Component {...props} typed={typed} close={close} />}
    </>
  );
}

async function open(opened: Signal<Opened | null>, loading: Promise<{ default: ComponentType<any> }>): Promise<void> {
  const { default: component } = await loading;
  opened.value = component;
}

function run(command: Command, { view, router, session, pages }: Props, opened: Signal<Opened | null>): void {
  const { time } = view;
  switch (command.kind) {
    case 'help':
      return void open(opened, import('./key-help.tsx'));
    case 'search':
      return document.querySelector<HTMLElement>('main input[type="search"]')?.focus();
    case 'earlier':
      return time.shift(-0.5);
    case 'later':
      return time.shift(0.5);
    case 'wider':
      return time.zoomOut();
    case 'live':
      return time.live();
    case 'jump': {
      const page = pages.find((p) => p.rail?.key === command.key && session.may(p.role));
      if (page) router.go(page.path);
    }
  }
}
