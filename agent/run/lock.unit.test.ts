import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withLock } from './lock.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('what processes do under one lock, they do one after the other', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'count'), '0');
  // Reads, lets others have a turn, and writes: without a lock, counts get lost.
  const program = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    const add = () => withLock('lock', async () => {
      const count = Number(readFileSync('count', 'utf8'));
      await sleep(1);
      writeFileSync('count', String(count + 1));
    });
    for (let n = 0; n < 10; n += 1) await Promise.all([add(), add()]);
  `;
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, stdio: 'inherit' }),
  );
  for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) expect(code).toBe(0);
  expect(readFileSync(join(folder, 'count'), 'utf8')).toBe('60');
  expect(readdirSync(folder)).toEqual(['count']);
}, 20_000);

test('a lock whose holder is gone is taken over, also by one of several at once', async () => {
  const folder = newFolder();
  const file = join(folder, 'lock');
  writeFileSync(file, `${2 ** 22 + 1} 12345`); // no process has such an id
  let inside = 0;
  const enter = () =>
    withLock(file, async () => {
      expect(++inside).toBe(1);
      await Promise.resolve();
      inside -= 1;
    });
  await Promise.all([enter(), enter(), enter()]);
  expect(readdirSync(folder)).toEqual([]);
});

test('what throws lets go', async () => {
  const file = join(newFolder(), 'lock');
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withLock(file, () => Promise.resolve('yes'))).resolves.toBe('yes');
});
