// The form that asks for a token.

import { useEffect, useRef } from 'preact/hooks';
import type { Session } from '../data/session.ts';

export function LoginForm({ session }: { session: Session }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (e: Event): void => {
    e.preventDefault();
    const token = field.current?.value.trim();
    if (token) session.logIn(token);
  };
  const said = session.login.value;
  return (
    <form class="login" onSubmit={submit}>
      <h1 tabIndex={-1}>Log in</h1>
      <p>This master asks who is looking. Paste a viewer's or an operator's token, or the key that it printed when it started.</p>
      {/* Password managers want a name beside the secret. */}
      <input class="unseen" type="text" name="username" autocomplete="username" value="token" tabIndex={-1} aria-hidden="true" readOnly />
      <label for="token">Token</label>
      <input id="token" ref={field} type="password" autocomplete="current-password" spellcheck={false} required />
      <p class="said" role="alert">
        {said}
      </p>
      <button type="submit">Log in</button>
    </form>
  );
}
