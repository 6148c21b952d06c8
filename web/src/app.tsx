// The frame of every page: the bar, what is wrong, and the page itself.

import { useComputed, useSignalEffect } from '@preact/signals';
import type { View } from './charts/view.ts';
import type { Session } from './data/session.ts';
import type { Store } from './data/store.ts';
import type { Router } from './lib/router.ts';
import { HostPage } from './pages/host.tsx';
import { HostsPage } from './pages/hosts.tsx';
import { Bar } from './ui/bar.tsx';
import { LoginForm } from './ui/login.tsx';
import { Notices } from './ui/notices.tsx';

/** What every page is given. */
export interface Parts {
  session: Session;
  store: Store;
  view: View;
  router: Router;
}

export function App(parts: Parts) {
  const { session, store, view, router } = parts;
  const gone = useComputed(() => store.hosts.value.filter((h) => h.gone).length);
  useSignalEffect(() => {
    const route = router.route.value;
    const what = route.page === 'host' ? `${route.host} · Vedette` : 'Vedette';
    document.title = gone.value > 0 ? `(${gone.value} gone) ${what}` : what;
  });
  const asked = session.login.value !== null;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the charts
      </a>
      <Bar {...parts} />
      <main id="main" tabIndex={-1}>
        <Notices {...parts} />
        {asked ? <LoginForm session={session} /> : <Page {...parts} />}
      </main>
      <p class="unseen" role="status">
        {view.status}
      </p>
    </>
  );
}

function Page(parts: Parts) {
  const route = parts.router.route.value;
  switch (route.page) {
    case 'hosts':
      return <HostsPage {...parts} />;
    case 'host':
      return <HostPage key={route.host} name={route.host} {...parts} />;
    default:
      return (
        <section class="empty">
          <h1 tabIndex={-1}>There is no such page</h1>
          <p>
            <a href="/">All hosts</a>
          </p>
        </section>
      );
  }
}
