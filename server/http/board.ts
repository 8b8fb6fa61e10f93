import { readFile } from 'node:fs/promises';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { fileURLToPath } from 'node:url';

const notBuilt = 'The board has not been built. Run: npm run build -w web';

/** The board: files that never change are cached for ever, a missing one is 404, and every other address is the page. */
export function board(app: Hono<{ Bindings: HttpBindings }>, folder: URL): void {
  const root = fileURLToPath(folder);
  app.use('/_app/*', async (c, next) => {
    await next();
    const forEver = c.req.path.startsWith('/_app/immutable/') && c.res.status === 200;
    c.header('Cache-Control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache');
  });
  app.get('/_app/*', serveStatic({ root, precompressed: true }));
  app.get('/_app/*', (c) => c.text('Not found', 404));
  app.get(
    '*',
    serveStatic({
      root,
      precompressed: true,
      rewriteRequestPath: (path) => (path === '/' ? '/index.html' : path),
      onFound: (_, c) => pageHeaders(c),
    }),
  );
  app.get('*', async (c) => {
    pageHeaders(c);
    const page = await readFile(new URL('index.html', folder), 'utf8').catch(() => null);
    return page === null ? c.text(notBuilt, 503) : c.html(page);
  });
}

function pageHeaders(c: { header(name: string, value: string): void }): void {
  c.header('Cache-Control', 'no-cache');
  // In the page's own CSP it would be ignored.
  c.header('Content-Security-Policy', "frame-ancestors 'none'");
}
