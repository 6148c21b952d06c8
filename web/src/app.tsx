// The frame of every page: the rail, the bar, the state of the link, and the page
// itself.

import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Page } from './pages.ts';
import type { Parts } from './parts.ts';
import { tabIcon, tabTitle } from './ui/alarm.ts';
import { Bar } from './ui/bar.tsx';
import { Notices } from './ui/notices.tsx';
import { Rail } from './ui/rail.tsx';
import { Shown } from './ui/shown.tsx';

export function App(props: Parts & { pages: readonly Page[] }) {
  const { session, fleet, view, router, pages } = props;
  useSignalEffect(() => {
    const { page, params } = router.route.value;
    document.title = tabTitle(pages.find((p) => p.id === page)?.title(params) ?? '', fleet.problems.value);
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const file = tabIcon(fleet.problems.value);
    if (icon && icon.getAttribute('href') !== file) icon.setAttribute('href', file);
  });
  const asked = session.login.value !== null || location.hash.startsWith('#link=');
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Rail {...props} />
      <div class="side">
        <Bar {...props} />
        <main id="main" tabIndex={-1}>
          <Notices {...props} />
          {asked ? <Login session={session} /> : <Shown {...props} />}
        </main>
      </div>
      <p class="unseen" role="status">
        {view.status}
      </p>
    </div>
  );
}

/** The form is loaded only when needed, because most masters know who is there. */
function Login({ session }: Pick<Parts, 'session'>) {
  const form = useSignal<ComponentType<Pick<Parts, 'session'>> | null>(null);
  useEffect(() => void import('./ui/login.tsx').then((m) => (form.value = m.LoginForm)), []);
  const Form = form.value;
  return Form && <Form session={session} />;
}
