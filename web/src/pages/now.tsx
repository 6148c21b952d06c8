// The first page: problems, worst first, and recent changes; the fleet if there are no
// problems; and the charts of a single host.

import '../style/now.css';
import { Changes } from '../ui/changes.tsx';
import { FirstHost } from '../ui/first-host.tsx';
import { FleetCard } from '../ui/fleet-card.tsx';
import { Head } from '../ui/kit.tsx';
import { Folds } from '../ui/folds.ts';
import { HostPanel } from '../ui/panel.tsx';
import { Going, Problems } from '../ui/problems.tsx';
import { useMemo } from 'preact/hooks';
import type { PageProps } from '../parts.ts';

export default function NowPage(parts: PageProps) {
  const { store, fleet, session } = parts;
  const folds = useMemo(() => new Folds(), []);
  const hosts = store.hosts.value;
  const wrong = fleet.problems.value;
  if (hosts.length === 0) return <FirstHost {...parts} />;
  const gone = hosts.filter((h) => h.gone).length;
  return (
    <>
      <Head title="Now" count={`${hosts.length - gone} up${gone > 0 ? `, ${gone} gone` : ''}`} bound={session.info.value?.bound} />
      <div class="now">
        <div>
          <Problems {...parts} list={wrong} />
          <Going {...parts} />
          {hosts.length === 1 ? (
            <HostPanel key={hosts[0].name} host={hosts[0]} folds={folds} {...parts} />
          ) : (
            <FleetCard {...parts} />
          )}
        </div>
        {hosts.length > 1 && <Changes {...parts} />}
      </div>
      {hosts.length === 1 && <Changes {...parts} />}
    </>
  );
}
