// The form to log in: by name and password, by a token, or by a link with which a
// password is chosen.

import type { ComponentChildren } from 'preact';
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Session } from '../data/session.ts';
import '../style/login.css';

/** The ways to log in. These are HTTP messages of rpc/wire/users.go. */
interface LoginWays {
  users: boolean;
  provider?: { name: string; url: string };
}

interface LoginAnswer {
  name: string;
}

const loginPath = '/api/login';
const passwordPath = '/api/password';

/** The secret of a link for choosing a password, in the fragment of an address, or ''. */
export function linkOf(fragment: string): string {
  return /^#link=([A-Za-z0-9_-]{1,512})$/.exec(fragment)?.[1] ?? '';
}

/** Sends an HTTP request to the master. The error is the master's reason. */
async function ask<T>(path: string, body?: object): Promise<T> {
  const init = body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const answer = await fetch(path, init);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `The master answered ${answer.status}.`);
  return (await answer.json()) as T;
}

export function LoginForm({ session }: { session: Session }) {
  const ways = useSignal<LoginWays | null>(null);
  const byToken = useSignal(false);
  useEffect(() => {
    const tokens: LoginWays = { users: false };
    ask<LoginWays>(loginPath).then((w) => (ways.value = w), () => (ways.value = tokens));
  }, []);
  const link = linkOf(location.hash);
  if (link) return <ChoosePassword link={link} />;
  if (!ways.value) return null;
  const { users, provider } = ways.value;
  const outside = provider && (
    <a class="outside" href={startOf(provider.url, location)}>
      Log in with {provider.name}
    </a>
  );
  if (!users || byToken.value) return <TokenForm session={session} other={users ? byToken : undefined} outside={outside} />;
  return <PasswordForm session={session} other={byToken} outside={outside} />;
}

/** Where a browser begins to log in at a provider, to come back to the page that it is at. */
export function startOf(url: string, at: Pick<Location, 'pathname' | 'search'>): string {
  return `${url}?next=${encodeURIComponent(at.pathname + at.search)}`;
}

/** The button to the other way to log in. */
function Other({ other, children }: { other: Signal<boolean>; children: string }) {
  return (
    <button type="button" class="other" onClick={() => (other.value = !other.value)}>
      {children}
    </button>
  );
}

function PasswordForm({ session, other, outside }: { session: Session; other: Signal<boolean>; outside: ComponentChildren }) {
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const said = useSignal(session.login.peek() ?? '');
  const busy = useSignal(false);
  useEffect(() => name.current?.focus(), []);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy.value || !name.current || !password.current) return;
    busy.value = true;
    said.value = '';
    try {
      await ask<LoginAnswer>(loginPath, { name: name.current.value.trim(), password: password.current.value });
      session.logIn('');
    } catch (fault) {
      said.value = (fault as Error).message;
      password.current.value = '';
      password.current.focus();
    }
    busy.value = false;
  };
  return (
    <form class="login" onSubmit={(e) => void submit(e)}>
      <h1 tabIndex={-1}>Log in</h1>
      <label for="name">Name</label>
      <input id="name" ref={name} type="text" autocomplete="username" autocapitalize="off" spellcheck={false} required />
      <label for="password">Password</label>
      <input id="password" ref={password} type="password" autocomplete="current-password" required />
      <p class="said" role="alert">
        {said}
      </p>
      <button type="submit" disabled={busy}>
        Log in
      </button>
      {outside}
      <Other other={other}>Use a token</Other>
    </form>
  );
}

function TokenForm({ session, other, outside }: { session: Session; other?: Signal<boolean> | undefined; outside: ComponentChildren }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (e: Event): void => {
    e.preventDefault();
    const token = field.current?.value.trim();
    if (token) session.logIn(token);
  };
  return (
    <form class="login" onSubmit={submit}>
      <h1 tabIndex={-1}>Log in</h1>
      <p>This master needs a credential. Paste a viewer's, an operator's or an admin's token, or the key that it printed when it started.</p>
      {/* Password managers want a name beside the secret. */}
      <input class="unseen" type="text" name="username" autocomplete="username" value="token" tabIndex={-1} aria-hidden="true" readOnly />
      <label for="token">Token</label>
      <input id="token" ref={field} type="password" autocomplete="current-password" spellcheck={false} required />
      <p class="said" role="alert">
        {session.login.value}
      </p>
      <button type="submit">Log in</button>
      {outside}
      {other && <Other other={other}>Use a name and a password</Other>}
    </form>
  );
}

/** Chooses a password. The link of the first admin is for nobody yet, who chooses a name too. */
function ChoosePassword({ link }: { link: string }) {
  const owner = useSignal<string | null>(null);
  const said = useSignal('');
  const busy = useSignal(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const again = useRef<HTMLInputElement>(null);
  useEffect(() => {
    ask<LoginAnswer>(passwordPath, { link }).then(
      (answer) => (owner.value = answer.name),
      (fault: Error) => (said.value = fault.message),
    );
  }, [link]);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (busy.value || !password.current) return;
    if (password.current.value !== again.current?.value) {
      said.value = 'The two passwords differ.';
      return;
    }
    busy.value = true;
    said.value = '';
    try {
      await ask<LoginAnswer>(passwordPath, { link, name: name.current?.value.trim() ?? '', password: password.current.value });
      location.replace('/'); // so the link is no longer in the history
    } catch (fault) {
      said.value = (fault as Error).message;
      busy.value = false;
    }
  };
  if (owner.value === null) {
    return (
      <div class="login">
        <h1 tabIndex={-1}>Choose a password</h1>
        <p class="said" role="alert">
          {said}
        </p>
        {said.value && <p>A link works once, and for a limited time. Ask an admin for another, or log in at <a href="/">the first page</a>.</p>}
      </div>
    );
  }
  return (
    <form class="login" onSubmit={(e) => void submit(e)}>
      <h1 tabIndex={-1}>{owner.value ? 'Choose a password' : 'Become the first admin'}</h1>
      <label for="name">Name</label>
      <input
        id="name"
        ref={name}
        type="text"
        autocomplete="username"
        autocapitalize="off"
        spellcheck={false}
        defaultValue={owner.value}
        readOnly={owner.value !== ''}
        required
      />
      <label for="password">Password</label>
      <input id="password" ref={password} type="password" autocomplete="new-password" minLength={10} required />
      <label for="again">The same again</label>
      <input id="again" ref={again} type="password" autocomplete="new-password" required />
      <p class="said" role="alert">
        {said}
      </p>
      <button type="submit" disabled={busy}>
        Log in
      </button>
    </form>
  );
}
