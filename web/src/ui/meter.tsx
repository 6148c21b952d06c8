// A value relative to its maximum, as a bar that changes its colour when it is high.

/** The shares from which a value is high, and too high. */
export const much = 0.75;
export const tooMuch = 0.9;

export type Level = 'calm' | 'much' | 'too-much' | 'none';

export function levelOf(value: number, most: number): Level {
  if (!Number.isFinite(value) || !(most > 0)) return 'none';
  const share = value / most;
  return share >= tooMuch ? 'too-much' : share >= much ? 'much' : 'calm';
}

export function Meter({ value, most, text }: { value: number; most: number; text: string }) {
  const width = Number.isFinite(value) && most > 0 ? Math.min(100, (value / most) * 100) : 0;
  return (
    <span class="meter" data-level={levelOf(value, most)}>
      <i aria-hidden="true">
        <b style={{ width: `${width}%` }} />
      </i>
      <span>{text}</span>
    </span>
  );
}
