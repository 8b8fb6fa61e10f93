import { run } from '@stricli/core';
import { buildApp } from './app.ts';
import { Cli, type CliProcess } from './context.ts';
import { exitCodeFor, exitCodeOfStricli, exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';

/** Runs `switchyard` with this process's arguments. */
export async function main(): Promise<void> {
  const { stdout, stderr, env } = process;
  const own: CliProcess = {
    // Opened when a command reads it: an open stdin keeps a process alive.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env,
  };
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      // A reader that has seen enough (`switchyard list | head`) closes the pipe: that is no fault.
      if (own.readerLeft) own.readerLeft();
      else if (stream === stdout) process.exit(0);
    });
  process.exitCode = await runCli(process.argv.slice(2), own);
}

/**
 * Runs one command line, and answers with its exit code.
 *
 *     const code = await runCli(['list', '--json'], { stdin, stdout, stderr, env });
 */
export async function runCli(args: readonly string[], process: CliProcess): Promise<number> {
  const out = new Output({ json: wantsJson(args), stdout: process.stdout, stderr: process.stderr });
  let failure: { error: unknown } | undefined;
  const app = await buildApp(args[0], (error) => (failure ??= { error }));
  await run(app, args, new Cli(process, out));
  if (failure === undefined) return exitCodeOfStricli(process.exitCode ?? 0);
  out.failure(failure.error);
  // A client reads 2, which a call that is not right ends with, as a refusal of what it was about to do.
  return args[0] === 'hook' ? exitCodes.done : exitCodeFor(failure.error);
}

/** Known before the arguments are read, so that a wrong call too is answered in JSON. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).includes('--json');
}
