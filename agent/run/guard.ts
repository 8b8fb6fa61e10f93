import { spawn, type ChildProcess } from 'node:child_process';

// Reads "+ID" and "-ID" lines. When its stdin ends, so did the runner, and the groups that are left are ended.
// A shell, because it costs 1 MB where a Node costs 40, and is one file less to find once this package is built.
const script = `
trap '' HUP INT TERM
groups=
while read -r line; do
  id=\${line#?}
  rest=
  for group in $groups; do [ "$group" = "$id" ] || rest="$rest $group"; done
  case $line in +*) groups="$rest $id" ;; *) groups=$rest ;; esac
done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
waited=0
while [ "$waited" -lt "$1" ]; do
  left=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && left="$left $group"; done
  [ -n "$left" ] || exit 0
  sleep 1
  waited=$((waited + 1))
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

/**
 * Ends what a runner leaves running when it is killed without a chance to (SIGKILL, out of memory): a process of its
 * own that knows the process groups, and learns from a closed pipe that the runner is gone. A runner that ends its
 * children by itself never needs it. (Looking for orphans at the next start was rejected: until then they would go
 * on changing files under an item that somebody else has by now.)
 */
export class Guard {
  readonly #graceSeconds: number;
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;

  constructor(graceMs: number) {
    this.#graceSeconds = Math.ceil(graceMs / 1_000);
  }

  /** From now on, this process group does not outlive the runner. */
  watch(groupId: number): void {
    this.#groups.add(groupId);
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+${groupId}`);
  }

  /** The group is gone; its id may be another's soon. */
  forget(groupId: number): void {
    this.#groups.delete(groupId);
    this.#tell(`-${groupId}`);
  }

  /** Lets the guard go, when nothing is left to watch. */
  close(): void {
    this.#shell?.removeAllListeners('exit').stdin!.end();
    this.#shell = undefined;
  }

  #start(): void {
    // Detached: neither the terminal's Ctrl-C nor a kill of the runner's group reaches it.
    const shell = spawn('/bin/sh', ['-c', script, 'switchyard-guard', String(this.#graceSeconds)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.on('error', () => {}); // no /bin/sh: then nothing guards, and all else works
    shell.stdin.on('error', () => {}); // it went: its exit is heard
    shell.on('exit', () => {
      this.#shell = undefined;
      if (this.#groups.size > 0) this.#start();
    });
    // Neither keeps the runner alive.
    shell.unref();
    (shell.stdin as unknown as { unref?: () => void }).unref?.();
    this.#shell = shell;
    for (const groupId of this.#groups) this.#tell(`+${groupId}`);
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(`${line}\n`);
  }
}
