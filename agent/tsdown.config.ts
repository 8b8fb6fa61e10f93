import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineConfig } from 'tsdown';

const here = import.meta.dirname;

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  [field: string]: unknown;
}

const manifestOf = async (folder: string) =>
  JSON.parse(await readFile(join(here, folder, 'package.json'), 'utf8')) as Manifest;

/**
 * Builds the package as it is published, into `dist/`, a folder with a manifest of its own: `npm pack ./dist`. The
 * manifest of the sources cannot serve both, for in a checkout its exports are the sources themselves.
 */
export default defineConfig({
  entry: { index: 'index.ts', 'cli/main': 'cli/main.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  outDir: 'dist',
  tsconfig: '../tsconfig.json',
  // Found by way of node_modules, what is shared would count as somebody else's, of which TypeScript emits no types.
  dts: { compilerOptions: { paths: { '@switchyard/shared/*': [join(here, '../shared/*.ts')] } } },
  deps: { alwaysBundle: [/^@switchyard\/shared/], neverBundle: [/^(zod|@noble\/hashes)(\/|$)/] },
  async onSuccess({ outDir }) {
    await Promise.all([
      writeFile(join(outDir, 'package.json'), `${JSON.stringify(await publishedManifest(), null, 2)}\n`),
      copyFile(join(here, 'bin.mjs'), join(outDir, 'bin.mjs')),
      copyFile(join(here, '../docs/cli.md'), join(outDir, 'README.md')),
    ]);
  },
});

async function publishedManifest(): Promise<Manifest> {
  const [root, shared, agent] = await Promise.all(['..', '../shared', '.'].map(manifestOf));
  const { engines, description } = root!;
  const { name, version, type, bin, dependencies } = agent!;
  const { '@switchyard/shared': _, ...external } = dependencies;
  return {
    name,
    version,
    description,
    type,
    bin,
    exports: { '.': { types: './index.d.mts', default: './index.mjs' } },
    engines,
    // What shared brings along is bundled, but for what it depends on itself.
    dependencies: { ...external, ...shared!.dependencies },
  };
}
