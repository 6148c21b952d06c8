// Colours for canvases, which cannot use CSS variables. The browser resolves them on a
// probe element.

/** The number of line colours: --series-1 and so on. */
export const seriesColours = 8;

export interface Colours {
  lines: string[];
  grid: string;
  axis: string;
  surface: string;
}

export function resolveColours(near: Element): Colours {
  const probe = document.createElement('span');
  probe.hidden = true;
  near.append(probe);
  const style = getComputedStyle(probe);
  const resolve = (name: string): string => {
    probe.style.color = `var(${name})`;
    return style.color;
  };
  const colours = {
    lines: Array.from({ length: seriesColours }, (_, i) => resolve(`--series-${i + 1}`)),
    grid: resolve('--grid'),
    axis: resolve('--muted'),
    surface: resolve('--surface'),
  };
  probe.remove();
  return colours;
}

/** The same colour, mostly transparent. */
export function faint(colour: string, alpha: number): string {
  const parts = colour.match(/[\d.]+/g);
  return parts ? `rgba(${parts.slice(0, 3).join(',')},${alpha})` : colour;
}
