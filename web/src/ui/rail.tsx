// The rail: links to the pages. It folds to icons, and is a bar at the bottom of a
// phone.

import { useSignal } from '@preact/signals';
import type { Page } from '../pages.ts';
import type { Parts } from '../parts.ts';
import { load, save } from '../lib/storage.ts';
import { Icon } from './icons.tsx';

export function Rail({ session, router, fleet, pages }: Parts & { pages: readonly Page[] }) {
  const folded = useSignal(load('rail', false));
  const { page } = router.route.value;
  const here = pages.find((p) => p.id === page);
  const lit = here?.under ?? here?.id;
  const fold = (): void => {
    folded.value = !folded.value;
    save('rail', folded.value);
  };
  return (
    <nav class={folded.value ? 'rail folded' : 'rail'} aria-label="Pages">
      <ul>
        {pages.map(({ id, path, role, rail }) =>
          rail && session.may(role) ? (
            <li key={id}>
              <a href={path} data-page={id} title={`${rail.label} (g ${rail.key})`} aria-current={lit === id ? 'page' : undefined}>
                <Icon name={rail.icon} />
                <span>{rail.label}</span>
                {id === 'alerts' && fleet.firing.value > 0 && <b>{fleet.firing.value}</b>}
              </a>
            </li>
          ) : null,
        )}
      </ul>
      <button type="button" class="fold-rail" aria-expanded={!folded.value} aria-label="Show names in the rail" onClick={fold}>
        <Icon name={folded.value ? 'unfold' : 'fold'} />
      </button>
    </nav>
  );
}
