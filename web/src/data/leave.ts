// Logging out.

import { saveToken } from '../lib/storage.ts';

/**
 * Ends the session of this browser and forgets the token of this tab, then starts the
 * page anew. Whoever needs neither, such as the user of a master on loopback, is back.
 */
export async function logOut(): Promise<void> {
  await fetch('/api/login', { method: 'DELETE' }).catch(() => undefined);
  saveToken('');
  location.reload();
}
