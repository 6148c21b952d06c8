import { expect, test } from 'vitest';
import { paint, pictureOf, sizeOf, type ImageLine, type Picture } from './chart-image.ts';

const line = (n: number): ImageLine => ({ name: `line ${n}`, value: `${n} %`, colour: `rgb(${n}, 0, 0)`, dashed: n % 2 === 1 });
const picture = (more: Partial<Picture> = {}): Picture => ({
  title: 'cpu on web-1', time: '03:10 – 03:25', width: 500, height: 200, marks: [], lines: [], text: 'black', muted: 'grey', ground: 'white', ...more,
});

/** A context that keeps where it writes, moves and draws. */
function recorder() {
  const did: { what: string; args: unknown[] }[] = [];
  const context = new Proxy({} as Record<string, unknown>, {
    get: (values, name: string) => (name in values ? values[name] : (...args: unknown[]) => void did.push({ what: name, args })),
  });
  return { context: context as unknown as CanvasRenderingContext2D, of: (what: string) => did.filter((d) => d.what === what).map((d) => d.args) };
}

test('everything that is in a picture is painted, and within its size', () => {
  for (let n = 0; n < 300; n++) {
    const lines = Array.from({ length: Math.floor(40 * Math.random()) }, (_, i) => line(i));
    const width = 120 + Math.random() * 1500;
    const marks = Array.from({ length: Math.floor(5 * Math.random()) }, () => ({ x: width * Math.random(), height: 200, colour: 'red' }));
    const p = picture({ width, lines, marks });
    const { context, of } = recorder();
    paint(context, p, {} as CanvasImageSource);
    const size = sizeOf(p);
    const texts = of('fillText');
    expect(texts.map(([t]) => t)).toEqual([p.title, p.time, ...lines.flatMap((l) => [l.name, l.value])]);
    for (const [, x, y] of texts as [string, number, number][]) {
      expect(x >= 0 && x <= size.width && y >= 0 && y <= size.height, `a text at ${x}, ${y} of ${size.width} × ${size.height}`).toBe(true);
    }
    // No two lines of the legend stand at one place.
    const places = texts.slice(2).filter((_, i) => i % 2 === 0).map(([, x, y]) => `${x} ${y}`);
    expect(new Set(places).size).toBe(lines.length);
    expect(of('fill').length).toBe(marks.length);
    expect(of('drawImage').length).toBe(1);
  }
});

test('a picture has the marks that are shown and the lines that are not hidden', () => {
  const element = document.createElement('div');
  element.innerHTML = `<div class="marks"><a></a><a hidden></a></div><canvas></canvas>
    <ul class="legend"><li><button aria-pressed="true"><i data-dashed></i><span>used</span><b>1 %</b><b>9 %</b></button></li>
    <li><button aria-pressed="false"><i></i><span>free</span><b>2 %</b></button></li></ul>`;
  document.body.append(element);
  const p = pictureOf(element, element.querySelector('canvas')!, 'x', [0, 60]);
  expect(p.marks.length).toBe(1);
  expect(p.lines.map(({ name, value, dashed }) => ({ name, value, dashed }))).toEqual([{ name: 'used', value: '9 %', dashed: true }]);
  expect(p.time).toMatch(/:00:00 – .*:01:00$/);
  element.remove();
});
