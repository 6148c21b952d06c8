// Notices about the whole page: a link that is down, events that were lost, a master
// that is newer than the page.

import type { Parts } from '../parts.ts';
import { condition } from './link.tsx';

export function Notices({ session, store }: Parts) {
  const link = session.link.value;
  const now = condition(link);
  return (
    <>
      {now === 'unreachable' && (
        <p class="notice bad">
          The master does not answer. The charts show what was last heard; they go on by themselves
          as soon as it is back.{' '}
          <button type="button" onClick={() => session.rpc.wake()}>
            Try now
          </button>
        </p>
      )}
      {now === 'refused' && link.kind === 'refused' && (
        <p class="notice bad">
          The master refuses this page: {link.reason || `code ${link.code}`}.{' '}
          <button type="button" onClick={() => location.reload()}>
            Load the page again
          </button>
        </p>
      )}
      {session.updated.value && now === 'live' && (
        <p class="notice">
          Vedette was updated to {session.info.value?.version}.{' '}
          <button type="button" onClick={() => location.reload()}>
            Load the new page
          </button>
        </p>
      )}
      {store.lost.value > 0 && (
        <p class="notice">
          This browser was too slow for {store.lost.value.toLocaleString('en')} live values; they
          show as gaps until the history fills them.{' '}
          <button type="button" onClick={() => (store.lost.value = 0)}>
            Dismiss
          </button>
        </p>
      )}
    </>
  );
}
