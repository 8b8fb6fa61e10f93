/** Says how far an import is: one line that is written over on a terminal, a line now and then elsewhere. */
export function showProgress(stderr: NodeJS.WritableStream & { isTTY?: boolean }) {
  return (done: number, total: number): void => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${done === total ? '' : `importing ${done} of ${total}`}`);
    else if (done > 0) stderr.write(`importing ${done} of ${total}\n`);
  };
}
