// Where an inspector comes from, as a badge.

import type { CatalogEntry, InspectorStatus } from '../data/wire.ts';
import { Ago, Badge } from './kit.tsx';

/** Where an inspector comes from: a push, with who and when, or the host itself. */
export function Origin({ inspector: i, entry, name = false }: { inspector: InspectorStatus; entry: CatalogEntry | undefined; /** It says the inspector’s name as well. */ name?: boolean }) {
  if (!i.assigned) return <Badge title="built in, or from the host’s own configuration">{name ? `${i.name}, ` : ''}host’s own</Badge>;
  const revision = i.assigned.slice(0, 8);
  const current = entry?.current === i.assigned;
  return (
    <span class="origin">
      <Badge tone={current || !entry ? 'good' : 'warn'} title={entry?.message}>
        {name ? `${i.name}, ` : ''}pushed {revision}
      </Badge>
      {entry && current && (
        <span class="times">
          by {entry.author}, <Ago ms={entry.at_ms} />
        </span>
      )}
    </span>
  );
}
