// The few icons of the page, as strokes in a square of 20.

const paths = {
  now: 'M3 11h3l2-6 4 10 2-4h3',
  hosts: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01',
  explore: 'M9 3a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM13.5 13.5L17 17',
  inspectors: 'M7 5l-4 5 4 5M13 5l4 5-4 5',
  rollouts: 'M3 16h4v-4h4V8h4V4h2',
  boards: 'M3 3h6v8H3zM11 3h6v5h-6zM11 10h6v7h-6zM3 13h6v4H3z',
  alerts: 'M5 14V9a5 5 0 0 1 10 0v5l2 1H3zM9 17h2',
  audit: 'M5 3h10v14H5zM8 7h4M8 10h4M8 13h2',
  fold: 'M12 5l-5 5 5 5',
  unfold: 'M8 5l5 5-5 5',
  keys: 'M3 5h14v10H3zM6 8h.01M10 8h.01M14 8h.01M7 12h6',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
