// The text on a master without hosts.

import type { Parts } from '../parts.ts';
import { Empty, Waiting } from './kit.tsx';

export function FirstHost({ session }: Parts) {
  if (!session.ready.value) return <Waiting>Asking the master for its hosts.</Waiting>;
  const bound = session.info.value?.bound;
  if (bound) {
    return (
      <Empty first title="No host that you may see reports">
        Your role is for hosts with the labels <code>{bound}</code>. An admin can change that.
      </Empty>
    );
  }
  if (location.protocol === 'https:') {
    return (
      <Empty first title="No host reports yet">
        <a href="/members">Members</a> makes the line to paste on a host. The host appears here as soon as it has joined.
      </Empty>
    );
  }
  return (
    <Empty first title="No host reports yet" command={`vedette agent --master ${location.origin}`}>
      Start an agent on a host and it appears here within a second:
    </Empty>
  );
}
