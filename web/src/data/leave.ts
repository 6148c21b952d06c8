// Logging out.

import { saveToken } from '../lib/storage.ts';

/**
 * Ends the session of this browser, forgets the token of this tab, and reloads the
 * page. A user who needs neither, such as the user of a master on loopback, is then
 * logged in again.
 */
export async function logOut(): Promise<void> {
  await fetch('/api/login', { method: 'DELETE' }).catch(() => undefined);
  saveToken('');
  location.reload();
}
