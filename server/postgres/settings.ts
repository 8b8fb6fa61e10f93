/** PostgreSQL's settings, by their names in its manual. */
export type Settings = Record<string, string>;

/** What the embedded PostgreSQL is started with, for one hub and thousands of agents on a developer's machine. */
export const SETTINGS: Settings = {
  // No network, no port, no password: a socket in a folder only its account can enter.
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',

  // An acknowledged claim survives a power cut. These are PostgreSQL's own defaults, said here so that nobody
  // turns them off for speed: the hub batches its writes instead.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',

  // The default, 128 MB, is little for a log of events that is written and read at its end all the time. Memory
  // is taken as it is used.
  shared_buffers: '256MB',
  // A checkpoint makes the next write of every page a full one, so: fewer of them. Recovery stays within seconds.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // Statements take milliseconds. Compiling them takes longer.
  jit: 'off',
  // Hot rows are rewritten hundreds of times a second; dead ones pile up during the default minute.
  autovacuum_naptime: '15s',
  // Database time is UTC whatever the machine's zone, in answers and in the log.
  timezone: 'UTC',
  log_timezone: 'UTC',

  // 'log' leaves out the errors of statements, which reach the hub anyway: those it expects and retries
  // (serialization failures, lost races) would fill the file. What concerns the server itself is still there.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_line_prefix: '%m [%p] ',
};

/** The settings as arguments of the program `postgres`. */
export function asArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
