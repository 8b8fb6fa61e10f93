// `npm run check`: everything a machine can say about the code without running it. All of it runs and all its
// complaints are shown, so that one round of corrections is enough.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Check {
  name: string;
  command: string[];
}

const checks: Check[] = [
  {
    name: 'format (prettier; "npm run format" mends it)',
    command: ['prettier', '--check', '--log-level=warn', '.'],
  },
  { name: 'lint (eslint)', command: ['eslint', '--max-warnings=0', '--ignore-pattern=web/', '.'] },
  // On its own: in one process with the rest, the linter finds no types for the board's Svelte files.
  { name: 'lint of the board (eslint)', command: ['eslint', '--max-warnings=0', 'web'] },
  { name: 'types (tsc)', command: ['tsc', '--pretty', 'false'] },
];
const web = readScripts('web/package.json');
if (web.types)
  checks.push({ name: 'board (svelte-check)', command: ['npm', 'run', '--silent', 'types', '-w', 'web'] });

// The linter reads the board's generated types, so they are made before anything runs, not beside it.
if (web.sync) await run({ name: 'sync', command: ['npm', 'run', '--silent', 'sync', '-w', 'web'] });
const results = await Promise.all(checks.map(run));
for (const { name, ok, output, seconds } of results) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}, ${seconds.toFixed(1)} s`);
  if (!ok) console.log(output.replace(/^/gm, '       '));
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

function run({
  name,
  command,
}: Check): Promise<{ name: string; ok: boolean; output: string; seconds: number }> {
  const begun = performance.now();
  const [program = '', ...args] = command; // npm has put node_modules/.bin on the PATH
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    child.once('error', (error) => (output += `${program}: ${error.message}\n`));
    child.once('close', (code) => {
      resolve({
        name,
        ok: code === 0,
        output: output.trimEnd(),
        seconds: (performance.now() - begun) / 1000,
      });
    });
  });
}

function readScripts(path: string): Record<string, string> {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { scripts?: Record<string, string> }).scripts ?? {};
  } catch {
    return {};
  }
}
