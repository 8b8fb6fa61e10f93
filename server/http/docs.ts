import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';

// The package's entry would name its folder, but loads the whole bundle to do so.
const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** What the page needs of the package, served from disk: others load it from a CDN. */
const files: Record<string, string> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Switchyard: the commands</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>`;

const start = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, persistAuthorization: false });`;

/** `/api/docs`: the OpenAPI document to read and try. The document itself asks for the token or the board's cookie. */
export function docs(app: Hono<{ Bindings: HttpBindings }>): void {
  app.get('/api/docs', (c) => {
    c.header(
      'Content-Security-Policy',
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    );
    return c.html(page);
  });
  app.get('/api/docs/start.js', (c) => c.body(start, 200, { 'Content-Type': 'text/javascript' }));
  for (const [name, type] of Object.entries(files)) {
    app.get(`/api/docs/${name}`, async (c) => {
      const content = await readFile(`${folder}/${name}`);
      return c.body(content, 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=86400' });
    });
  }
}
