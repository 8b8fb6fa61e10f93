import {
  accessSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file that cannot be read, understood or written. The message says why; the file is as it was. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
}

export interface TextFile {
  /** Where the bytes are: links are followed. */
  readonly path: string;
  readonly exists: boolean;
  /** Without the byte order mark; '' when there is no file. */
  readonly text: string;
  readonly bom: boolean;
}

const bom = '\uFEFF';

/** Reads a file that may not be there. Throws {@link FileRefused}. */
export function readTextFile(path: string): TextFile {
  if (!lstatSync(path, { throwIfNoEntry: false })) return { path, exists: false, text: '', bom: false };
  try {
    const real = realpathSync(path);
    const bytes = readFileSync(real);
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const marked = text.startsWith(bom);
    return { path: real, exists: true, text: marked ? text.slice(1) : text, bom: marked };
  } catch (error) {
    throw new FileRefused(whyUnreadable(error as NodeJS.ErrnoException));
  }
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'is a link to nothing';
  if (code === 'EISDIR') return 'is a folder';
  if (code === 'EACCES') return 'may not be read';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return `cannot be read (${message})`;
}

/**
 * Puts `text` in the place of what the file held, in one step: whoever reads at the same time sees the one or the
 * other, and what fails half-way leaves the old. Mode and owner stay. Throws {@link FileRefused}.
 */
export function writeTextFile(file: TextFile, text: string): void {
  const folder = dirname(file.path);
  const temporary = join(folder, `.${basename(file.path)}.${process.pid}.tmp`);
  try {
    const before = file.exists ? statSync(file.path) : undefined;
    if (before) mustBeWritable(file.path, before.mode);
    else mkdirSync(folder, { recursive: true });
    const mode = before ? before.mode & 0o7777 : 0o666;
    writeFileSync(temporary, (file.bom ? bom : '') + text, { mode, flag: 'wx', flush: true });
    if (before) keepOwner(temporary, before);
    renameSync(temporary, file.path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error instanceof FileRefused
      ? error
      : new FileRefused(`cannot be written (${(error as Error).message})`);
  }
}

/** Takes the file away, and its folder when that is empty then and its name starts with a dot. */
export function removeTextFile(file: TextFile): void {
  try {
    mustBeWritable(file.path, statSync(file.path).mode);
    rmSync(file.path);
  } catch (error) {
    throw error instanceof FileRefused
      ? error
      : new FileRefused(`cannot be removed (${(error as Error).message})`);
  }
  const folder = dirname(file.path);
  if (!basename(folder).startsWith('.')) return;
  try {
    rmdirSync(folder);
  } catch {
    // It holds something else.
  }
}

/** A rename asks only the folder; a file that was made read-only is meant to stay as it is, for root too. */
function mustBeWritable(path: string, mode: number): void {
  if ((mode & 0o222) === 0) throw new FileRefused('is read-only');
  accessSync(path, constants.W_OK);
}

function keepOwner(path: string, { uid, gid }: { uid: number; gid: number }): void {
  const now = statSync(path);
  if (now.uid !== uid || now.gid !== gid) chownSync(path, uid, gid);
}
