import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

/** The version is what the board is made of, so that building the same sources twice makes the same site. */
function contentVersion(): string {
  const hash = createHash('sha256');
  const add = (file: string) => hash.update(file).update(readFileSync(file));
  ['package.json', 'vite.config.ts', '../package-lock.json'].forEach(add);
  for (const folder of ['src', 'static', '../shared']) {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    files
      .filter((file) => !file.includes('node_modules'))
      .sort()
      .forEach(add);
  }
  return hash.digest('hex').slice(0, 12);
}

/** For `npm run dev`: the hub whose API and socket the development server passes on. */
const target = process.env.SWITCHYARD_URL ?? 'http://127.0.0.1:4800';
const hub = { target, changeOrigin: true, rewriteWsOrigin: true, headers: { origin: target } };

/**
 * What every page needs, and what every page of a project needs, with all that they import: in one file each. Left alone
 * it was seventy files, most of them of a kilobyte, and a browser asks for six at a time. What starts the page stays
 * apart: it says which version this is before anything else of SvelteKit's is loaded, which would else find none.
 */
const groups = [
  { name: 'start', test: /client[\\/]payload\.js$|preload-helper/, priority: 3 },
  { name: 'base', test: /routes[\\/]\+(layout|error)\.(svelte|ts)$/, priority: 2 },
  { name: 'project', test: /routes[\\/]p[\\/]\[project\][\\/]\+layout\.svelte$/, priority: 1 },
];

export default defineConfig({
  plugins: [
    sveltekit({
      // Compressed once here, not for each visitor.
      adapter: adapter({ fallback: 'index.html', precompress: true }),
      compilerOptions: { runes: true },
      version: { name: contentVersion(), pollInterval: 60_000 },
      // `frame-ancestors` has no effect in a meta tag: the hub sends it as a header.
      csp: {
        mode: 'hash',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          // The one style attribute there is, on SvelteKit's announcer; the stylesheet hides it as well.
          'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
          'connect-src': ['self'],
          'img-src': ['self'],
          'base-uri': ['none'],
          'form-action': ['none'],
        },
      },
    }),
  ],
  environments: { client: { build: { rolldownOptions: { output: { codeSplitting: { groups } } } } } },
  // SvelteKit runs its server build once to make the page, and must then find its own `cookie`, not the older
  // one of engine.io at the root of the workspace.
  ssr: { noExternal: ['cookie'] },
  server: { proxy: { '/api': hub, '/socket.io': { ...hub, ws: true } } },
});
