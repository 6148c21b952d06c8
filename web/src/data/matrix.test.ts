import { expect, test } from 'vitest';
import { csvCell, csvOf, frameOf, labelNames, largest, linesCSV, linesOf, rowsOf, seriesText, sharedLabels, tableCSV, unitOf } from './matrix.ts';
import type { Found } from './prom.ts';

const found = (metric: Record<string, string>, points: [number, string][] = [[1, '1']]): Found => ({ metric, points });

test('lines are named by what tells them apart', () => {
  const list = ['a', 'b'].map((host) => found({ __name__: 'load_average_1', host, key: 'load/average-1', zone: 'x' }));
  expect(linesOf([list], ['load_average_1']).map((l) => l.name)).toEqual(['a', 'b']);
  expect(linesOf([list], ['load_average_1'])[0].full).toBe('load_average_1{host="a", key="load/average-1", zone="x"}');
  const two = linesOf([[found({ host: 'a' }), found({ host: 'b', mount: '/' })]], ['x']);
  expect(two.map((l) => l.name)).toEqual(['{host="a"}', '{host="b", mount="/"}']);
  expect(linesOf([[list[0]]], ['load_average_1'])[0].name).toBe('load_average_1{zone="x"}');
  expect(linesOf([[found({})], [found({})]], ['sum(x)', 'sum(y)']).map((l) => l.name)).toEqual(['sum(x)', 'sum(y)']);
  expect(sharedLabels([])).toEqual(new Set());
  // Without a name of its own a line has that of its query, where others are called the same.
  const cards = ['eth0', 'lo'].map((i) => found({ host: 'a', interface: i }));
  expect(linesOf([cards, cards], ['rate(rx_bytes_total[1m])', 'rate(tx_bytes_total[1m])']).map((l) => l.name)).toEqual([
    'rx_bytes_total{interface="eth0"}',
    'rx_bytes_total{interface="lo"}',
    'tx_bytes_total{interface="eth0"}',
    'tx_bytes_total{interface="lo"}',
  ]);
  expect(linesOf([[found({ host: 'a' })]], ['topk(8, sum by (host) (rate(rx_bytes_total[1m])))'])[0].name).toBe('{host="a"}');
  expect(linesOf([[found({})]], ['sum(a_b / c_d)'])[0].name).toBe('sum(a_b / c_d)');
  expect(linesOf([[found({ a: '1' })], [found({ a: '1' })]], ['x / y', 'y / x']).map((l) => l.name)).toEqual(['x / y', 'y / x']);
});

test('a series is written as PromQL reads it', () => {
  expect(seriesText({ __name__: 'x', b: 'say "hi"\\', a: '1' })).toBe('x{a="1", b="say \\"hi\\"\\\\"}');
  expect(seriesText({})).toBe('');
});

test('a frame has the values at their times, and gaps where there are none', () => {
  // Random points on a grid: whatever is missing is a gap, and nothing moves.
  for (let seed = 1; seed <= 100; seed++) {
    let state = seed;
    const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
    const step = 1000 * (1 + Math.floor(random() * 60));
    const lists = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, line) => {
      const points: [number, string][] = [];
      for (let i = 0; i < 50; i++) if (random() < 0.6) points.push([(i * step) / 1000, random() < 0.1 ? 'NaN' : String(random())]);
      return found({ line: String(line) }, points.length > 0 ? points : [[0, '0']]);
    });
    const lines = linesOf([lists], ['q']);
    const { times, columns, lonely } = frameOf(lines, step, 500);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    lines.forEach((line, i) => {
      const told = new Map(line.found.points.filter(([, v]) => v !== 'NaN').map(([t, v]) => [t + 0.5, Number(v)]));
      expect(columns[i].filter((v) => typeof v === 'number').length).toBe(told.size);
      times.forEach((t, r) => expect(columns[i][r]).toBe(told.get(t) ?? null));
      // Two values are joined only where no point of the grid lies between them.
      for (let r = 1; r < times.length; r++) {
        if (typeof columns[i][r] === 'number' && typeof columns[i][r - 1] === 'number') expect(times[r] - times[r - 1]).toBeCloseTo(step / 1000, 6);
      }
      for (const r of lonely[i]) expect([columns[i][r - 1] ?? null, columns[i][r + 1] ?? null]).toEqual([null, null]);
    });
  }
});

test('the largest lines are drawn, in their order', () => {
  const lines = linesOf([['3', '-9', 'NaN', '5'].map((v, i) => found({ i: String(i) }, [[1, v]]))], ['q']);
  expect(largest(lines, 2).map((l) => l.found.metric.i)).toEqual(['1', '3']);
  expect(largest(lines, 9)).toBe(lines);
});

test('units are read off names, and off what is done with them', () => {
  expect(unitOf('memory_used_bytes')).toBe('bytes');
  expect(unitOf('rate(network_receive_bytes_total{host="a"}[1m])')).toBe('bytes/s');
  expect(unitOf('network_receive_bytes_total')).toBe('bytes');
  expect(unitOf('sum by (host) (rate(cpu_seconds_total[5m]))')).toBe('seconds/s');
  expect(unitOf('max_over_time(disk_used_percent[1h])')).toBe('percent');
  expect(unitOf('{host="a",key=~"disk/used_percent|disk/inodes_used_percent"}')).toBe('percent');
  expect(unitOf('disk_used_bytes / disk_size_bytes')).toBe('');
  expect(unitOf('count(up_seconds)')).toBe('count');
  expect(unitOf('load_average_1')).toBe('');
  expect(unitOf('')).toBe('');
});

test('a table has a row a series, with the columns that any has', () => {
  const answers = [[found({ __name__: 'x', host: 'a', zone: 'z' }, [[1, '1'], [2, '+Inf']])], [found({ mount: '/' })]];
  const rows = rowsOf(answers);
  expect(rows.map((r) => r.value)).toEqual([Infinity, 1]);
  expect(labelNames(rows)).toEqual(['__name__', 'host', 'mount', 'zone']);
  expect(tableCSV(rows, ['x', 'y'])).toBe('query,__name__,host,mount,zone,value\r\nx,x,a,,z,+Inf\r\ny,,,/,,1\r\n');
  expect(tableCSV(rows.slice(0, 1), ['x'])).toBe('__name__,host,zone,value\r\nx,a,z,+Inf\r\n');
});

test('lines as comma-separated values have a row a time', () => {
  const lines = linesOf([[found({ __name__: 'x' }, [[1, '1'], [2, '2']]), found({ __name__: 'y' }, [[2, '3']])]], ['q']);
  expect(linesCSV(lines)).toBe('time,x,y\r\n1970-01-01T00:00:01.000Z,1,\r\n1970-01-01T00:00:02.000Z,2,3\r\n');
});

/** Reads comma-separated values as RFC 4180 has them. */
function readCSV(text: string): string[][] {
  const rows: string[][] = [[]];
  for (let i = 0; i < text.length; ) {
    const row = rows[rows.length - 1];
    if (text[i] === '"') {
      let cell = '';
      for (i++; text[i] !== '"' || text[i + 1] === '"'; i++) cell += text[i] === '"' ? text[++i] : text[i];
      i++;
      row.push(cell);
    } else {
      const end = /[,\r]/.exec(text.slice(i))!.index + i;
      row.push(text.slice(i, end));
      i = end;
    }
    if (text[i] === ',') i++;
    else (i += 2), rows.push([]);
    if (text[i - 1] === ',' && text[i] === '\r') row.push('');
    if (text[i - 1] === ',' && text[i] === '\r') (i += 2), rows.push([]);
  }
  return rows.slice(0, -1);
}

test('any text comes back from comma-separated values, and none of them is a formula', () => {
  const letters = ['a', '"', ',', '\n', '\r', '=', '-', '+', '@', '1', ' '];
  let state = 7;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 500; i++) {
    const rows = Array.from({ length: 2 }, () => Array.from({ length: 3 }, () => 'x' + Array.from({ length: random(6) }, () => letters[random(letters.length)]).join('')));
    expect(readCSV(csvOf(rows))).toEqual(rows);
    const cell = Array.from({ length: 4 }, () => letters[random(letters.length)]).join('');
    expect(/^"?[=@]/.test(csvCell(cell))).toBe(false);
  }
  expect([csvCell('-1.5'), csvCell('+Inf'), csvCell('-cmd'), csvCell('=1+1')]).toEqual(['-1.5', '+Inf', "'-cmd", "'=1+1"]);
});
