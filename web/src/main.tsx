// The entry point: makes the parts, connects them, and shows the page.

import { effect, untracked } from '@preact/signals';
import { render } from 'preact';
import './style/base.css';
import { App } from './app.tsx';
import { LiveChart } from './charts/live-chart.ts';
import { View } from './charts/view.ts';
import { Fleet } from './data/fleet.ts';
import { Past } from './data/past.ts';
import { Session } from './data/session.ts';
import { Store } from './data/store.ts';
import { endpoint } from './lib/rpc.ts';
import { Router } from './lib/router.ts';
import { load } from './lib/storage.ts';
import { pages } from './pages.ts';

customElements.define('live-chart', LiveChart);
const store = new Store();
const view = new View();
const past: Past = new Past({ call: (method, params) => session.rpc.call(method, params) }, store, view);
const session: Session = new Session(endpoint(location), store, past);
const fleet = new Fleet(session, store);
const router = new Router(pages);
const root = document.getElementById('app');
if (!root) throw new Error('the page has no element #app');
render(<App session={session} store={store} view={view} fleet={fleet} router={router} pages={pages} />, root);
router.start();
view.start();
effect(() => void (view.mayChange.value = session.may('operator')));
effect(() => view.hold(session.link.value.kind === 'live'));
effect(() => {
  void view.time.window.value;
  void view.time.range.value;
  void view.near.value;
  untracked(() => past.look());
});
// Notifications are loaded only if the user wants them, here or in another tab.
const notify = (): void => {
  if (!load('notify', false)) return;
  removeEventListener('storage', notify);
  void import('./ui/notifier.ts').then(({ Notifier }) => new Notifier(fleet, router).start());
};
addEventListener('storage', notify);
notify();
past.start();
fleet.start();
session.start();
