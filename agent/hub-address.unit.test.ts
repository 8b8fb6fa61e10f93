import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { addressOf } from './connect-options.ts';
import { findHub } from './hub-address.ts';

test('the environment names hub and token', () => {
  const env = { SWITCHYARD_URL: 'https://hub.example', SWITCHYARD_TOKEN: 'swy_1' };
  expect(findHub(env)).toEqual({ url: 'https://hub.example', token: 'swy_1' });
});

test('on the hub’s own machine its data directory has a token', () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-address-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'admin-token'), 'swy_2\n');
  expect(findHub({ SWITCHYARD_DATA_DIR: dir })).toEqual({ url: 'http://127.0.0.1:4800', token: 'swy_2' });
  expect(findHub({ SWITCHYARD_DATA_DIR: dir, SWITCHYARD_PORT: '4801' }).url).toBe('http://127.0.0.1:4801');
});

test('the token of this machine’s hub goes to no other', () => {
  expect(() => findHub({ SWITCHYARD_URL: 'http://hub.example:4800' })).toThrow('Set SWITCHYARD_TOKEN');
});

test('of an address of the board, what is the hub’s counts', () => {
  const env = { SWITCHYARD_TOKEN: 'swy_1' };
  for (const page of ['', '/', '/p/shop', '/#token=swy_2'])
    expect(findHub({ ...env, SWITCHYARD_URL: `http://hub.example:4800${page}` }).url).toBe(
      'http://hub.example:4800',
    );
});

test('what a program says goes before the environment, and is looked at as well', () => {
  expect(addressOf({ url: 'http://hub.example', token: '' })).toEqual({
    url: 'http://hub.example',
    token: '',
  });
  expect(() => addressOf({ url: 'localhost:4800', token: 'swy_1' })).toThrow(
    '"localhost:4800" is no address',
  );
});

test('what is missing is said', () => {
  expect(() => findHub({ SWITCHYARD_DATA_DIR: '/nowhere' })).toThrow('/nowhere/admin-token');
  expect(() => findHub({ SWITCHYARD_URL: 'hub:4800:x' })).toThrow('no address');
});
