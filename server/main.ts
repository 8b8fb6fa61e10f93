import { configFrom } from './config.ts';
import { openLog } from './log.ts';
import { EmbeddedPostgresError } from './postgres/errors.ts';
import { startHub, type RunningHub } from './start.ts';

const help = `Switchyard: the hub that lets many agents work on one project at the same time.

  npm start              start the hub
  node server/main.ts --help

Settings come from the environment:
  SWITCHYARD_HOST, SWITCHYARD_PORT        where to listen (127.0.0.1, 4800)
  DATABASE_URL                            a PostgreSQL of your own, 15 or later (an embedded one)
  SWITCHYARD_DATA_DIR                     what the hub keeps (.switchyard)
  SWITCHYARD_ADMIN_TOKEN                  the operator's token (made on the first start)
  SWITCHYARD_LEASE_SECONDS, SWITCHYARD_HEARTBEAT_SECONDS, SWITCHYARD_DISCONNECT_GRACE_SECONDS   (60, 10, 15)
  SWITCHYARD_ALLOWED_ORIGINS              pages that may use the hub, by comma (its own)
  SWITCHYARD_LOG_LEVEL                    (info)
`;

/** Shutting down takes at most this long; then the process ends all the same. Claims are safe in the database. */
const stopMsMax = 10_000;

async function main(): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) return void process.stdout.write(help);
  const config = configFrom(process.env);
  const log = openLog(config.logLevel);
  const say = (message: string) => log.info(message);
  const hub = await startHub({ config, log, say });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => shutDown(hub, say));
  process.stdout.write(
    `\nSwitchyard listens on ${hub.url}\nBoard, with a way in:   ${hub.url}/#token=${hub.adminToken}\n\n`,
  );
}

let asked = 0;
function shutDown(hub: RunningHub, say: (message: string) => void): void {
  // npm passes Ctrl-C on to us, and the terminal sends it too: the second one is no second wish.
  if (asked++ > 0) return;
  say('Stopping: agents keep their claims and come back when the hub does.');
  setTimeout(() => process.exit(1), stopMsMax).unref();
  hub.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`Stopping went wrong: ${String(error)}\n`);
      process.exit(1);
    },
  );
}

main().catch((error: unknown) => {
  const expected = error instanceof EmbeddedPostgresError || (error instanceof Error && !('code' in error));
  process.stderr.write(
    `Switchyard cannot start. ${expected ? error.message : String((error as Error).stack ?? error)}\n`,
  );
  process.exit(1);
});
