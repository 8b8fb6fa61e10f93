// A Chromium to look with, wherever one is to be found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';

/** Without a sandbox, because it refuses to run as root; no shared memory, because containers have next to none. */
const args = ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'];

const ofTheSystem = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

interface Found {
  path: string;
  env?: Record<string, string>;
}

/** `CHROMIUM_PATH`, Playwright's own, the system's, the one in a package, in this order. */
export async function findChromium(): Promise<Found> {
  const wished = process.env.CHROMIUM_PATH;
  if (wished) {
    if (existsSync(wished)) return { path: wished };
    throw new Error(`CHROMIUM_PATH names ${wished}, which does not exist.`);
  }
  const path = [chromium.executablePath(), ...ofTheSystem].find((one) => one && existsSync(one));
  return path ? { path } : unpack();
}

export async function launchChromium(): Promise<Browser> {
  const { path, env } = await findChromium();
  return chromium.launch({
    executablePath: path,
    args,
    ...(env ? { env: { ...(process.env as Record<string, string>), ...env } } : {}),
  });
}

/**
 * The binary of @sparticuz/chromium, unpacked once for its version and moved into place as a whole, so that whoever
 * comes at the same time sees all of it or nothing.
 */
async function unpack(): Promise<Found> {
  const main = fileURLToPath(import.meta.resolve('@sparticuz/chromium'));
  const root = join(main, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'switchyard', `chromium-${version}`);
  if (!existsSync(folder)) await unpackTo(folder, join(root, 'bin'));
  const libraries = join(folder, 'al2023/lib');
  const before = process.env.LD_LIBRARY_PATH;
  return {
    path: join(folder, 'chromium'),
    env: {
      // Its own names a path that is nowhere: all text would have the height 0.
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
      LD_LIBRARY_PATH: before ? `${libraries}:${before}` : libraries,
    },
  };
}

async function unpackTo(folder: string, archives: string): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true });
  const making = await mkdtemp(`${folder}-`);
  await pipeline(
    createReadStream(join(archives, 'chromium.br')),
    createBrotliDecompress(),
    createWriteStream(join(making, 'chromium'), { mode: 0o755 }),
  );
  for (const archive of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br'])
    await untar(join(archives, archive), making);
  await writeFile(join(making, 'fonts.conf'), fontsConf(folder));
  // Somebody else was first: theirs is as good.
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }));
}

async function untar(archive: string, folder: string): Promise<void> {
  const tar = spawn('tar', ['--extract', '--directory', folder], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(tar, 'close');
  await pipeline(createReadStream(archive), createBrotliDecompress(), tar.stdin);
  const [code] = (await ended) as [number];
  if (code !== 0) throw new Error(`tar could not unpack ${archive}`);
}

const fontsConf = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(tmpdir(), 'switchyard-fonts')}</cachedir>
</fontconfig>
`;
