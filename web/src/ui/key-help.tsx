// The keys of the page.

import { useEffect, useRef } from 'preact/hooks';
import type { Page } from '../pages.ts';
import '../style/palette.css';

export default function KeyHelp({ pages, close }: { pages: readonly Page[]; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal?.(), []);
  const keys: [string[], string][] = [
    [['Ctrl', 'K'], 'go to a host, an inspector, a page, an action'],
    [['/'], 'search on this page'],
    ...pages.flatMap((p): [string[], string][] => (p.rail ? [[['g', p.rail.key], p.rail.label]] : [])),
    [['['], 'earlier'],
    [[']'], 'later'],
    [['-'], 'zoom out'],
    [['l'], 'live'],
    [['←', '→'], 'on a chart: read its values'],
    [['?'], 'these keys'],
  ];
  return (
    <dialog ref={dialog} class="palette" aria-labelledby="keys" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <h2 id="keys">Keys</h2>
      <dl>
        {keys.map(([list, what]) => (
          <>
            <dt>
              {list.map((k) => (
                <>
                  <kbd>{k}</kbd>{' '}
                </>
              ))}
            </dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <button type="button" class="button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
