import { describe, expect, test } from 'vitest';
import { EventEmitter } from './emitter.ts';
import { address, plainPath } from './mesh-client.ts';

const page = (url: string): Location => new URL(url) as unknown as Location;

describe('the address', () => {
  test.each([
    [{}, 'http://m:50505/app/', 'ws://m:50505/rpc'],
    [{}, 'https://m/app/', 'wss://m/rpc'],
    [{ host: '10.0.0.1', port: 919 }, 'http://m:1/', 'ws://10.0.0.1:919/rpc'],
    [{ hostname: 'other' }, 'http://m:1/', 'ws://other:50505/rpc'],
    [{ hostname: 'm', protocol: 'https' }, 'http://m:1/', 'wss://m:1/rpc'],
    [{}, 'file:///page.html', 'ws://localhost:50505/rpc'],
    ['http://x:7', 'http://m:1/', 'ws://x:7/rpc'],
  ])('%j on %s is %s', (options, on, want) => {
    expect(address(options, page(on))).toBe(want);
  });
});

describe('paths for pages that know no labels', () => {
  test.each([
    ['metrics/h/load/average-1', undefined, 'metrics/h/load/average-1'],
    ['metrics/h/load/average-1', {}, 'metrics/h/load/average-1'],
    ['metrics/h/disk/used_percent', { mount: '/' }, 'metrics/h/disk/used_percent-_'],
    ['metrics/h/disk/used_percent', { mount: '/var/lib', device: 'sda1' }, 'metrics/h/disk/used_percent-sda1-_var_lib'],
    ['metrics/h/gpu', { n: '0' }, 'metrics/h/gpu/0'],
    ['metrics/h/a/b', { x: '"><img src=x onerror=alert(1)>' }, 'metrics/h/a/b-_img_src_x_onerror_alert_1_'],
  ])('%s with %j is %s', (path, labels, want) => {
    expect(plainPath(path, labels)).toBe(want);
  });
});

describe('events', () => {
  test('reach every handler, once where asked', () => {
    const e = new EventEmitter();
    const seen: string[] = [];
    e.on('x', (v) => seen.push(`on ${v}`));
    e.once('x', (v) => seen.push(`once ${v}`));
    expect(e.emit('x', 1)).toBe(true);
    e.emit('x', 2);
    expect(seen).toEqual(['on 1', 'once 1', 'on 2']);
  });

  test('stop reaching a handler that was taken off', () => {
    const e = new EventEmitter();
    const handler = (): void => {
      throw new Error('still here');
    };
    e.on('x', handler).once('x', handler).off('x', handler);
    expect(e.emit('x')).toBe(false);
  });
});
