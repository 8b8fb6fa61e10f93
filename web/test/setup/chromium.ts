// A Chromium to look with, wherever one is to be found.
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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

const packaged = '@sparticuz/chromium';

/**
 * `CHROMIUM_PATH`, Playwright's own, the system's, the one in a package, in this order. With the package's name as
 * `CHROMIUM_PATH` it is that one, whatever else there is.
 */
export async function findChromium(): Promise<Found> {
  const wished = process.env.CHROMIUM_PATH;
  if (wished === packaged) return unpack();
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
  const main = fileURLToPath(import.meta.resolve(packaged));
  const root = join(main, '../..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'switchyard', `chromium-${version}`);
  if (!existsSync(folder)) await unpackTo(folder, join(root, 'bin'));
  const libraries = join(folder, 'lib');
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
  try {
    const chromium = join(making, 'chromium');
    await decompress(join(archives, 'chromium.br'), chromium);
    await chmod(chromium, 0o755);
    // Libraries for bare machines, a renderer without a graphics card, and letters.
    for (const archive of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br'])
      await untar(join(archives, archive), making);
    await writeFile(join(making, 'fonts.conf'), fontsConf(folder));
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Somebody else was first: theirs is as good.
    if (!existsSync(folder)) throw error;
  }
}

const decompress = (archive: string, file: string) =>
  pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(file));

/** By way of a file: tar stops reading at the end of the archive, and what is left of a pipe then fails. */
async function untar(archive: string, folder: string): Promise<void> {
  const file = join(folder, 'archive.tar');
  await decompress(archive, file);
  await promisify(execFile)('tar', ['--extract', '--file', file, '--directory', folder, '--no-same-owner']);
  await rm(file);
}

const fontsConf = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(tmpdir(), 'switchyard-fonts')}</cachedir>
</fontconfig>
`;
