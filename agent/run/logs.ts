import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Misuse } from '../command.ts';
import type { Item } from '@switchyard/shared/item';
import { plain } from '../work/outcome.ts';
import type { Stream } from './child.ts';

/** A command that writes without end must not fill the disk. */
const bytesMax = 50 * 1024 * 1024;

/** What one command wrote, each line with its time. */
export interface RunLog {
  line(stream: Stream, line: string): void;
  note(text: string): void;
  close(): void;
}

/** A file for each attempt of each item, or none at all. */
export interface RunLogs {
  open(item: Item, attempt: number): RunLog;
}

const nowhere: RunLog = { line: () => {}, note: () => {}, close: () => {} };
export const noLogs: RunLogs = { open: () => nowhere };

/**
 * Logs in a folder, `12.1.log` for the first attempt of #12. Throws `Misuse` when the folder cannot be
 * made. A log that cannot be
 * written later on (the disk is full) is told to `onTrouble` and given up: the work goes on.
 */
export function logsIn(folder: string, onTrouble: (message: string) => void): RunLogs {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new Misuse(`Logs cannot be kept in ${folder}: ${(error as Error).message}`);
  }
  return {
    open: (item, attempt) => {
      const file = join(folder, `${item.number}.${attempt}.log`);
      try {
        return openLog(file, onTrouble);
      } catch (error) {
        onTrouble(`${file} cannot be written: ${(error as Error).message}`);
        return nowhere;
      }
    },
  };
}

function openLog(file: string, onTrouble: (message: string) => void): RunLog {
  let handle: number | null = openSync(file, 'a');
  let bytes = 0;
  const close = () => {
    if (handle !== null) closeSync(handle);
    handle = null;
  };
  const write = (text: string) => {
    if (handle === null) return;
    try {
      bytes += writeSync(handle, `${new Date().toISOString()} ${plain(text)}\n`);
      if (bytes <= bytesMax) return;
      writeSync(handle, `… cut here, at ${bytesMax / 1024 / 1024} MB\n`);
    } catch (error) {
      onTrouble(`${file} cannot be written: ${(error as Error).message}`);
    }
    close();
  };
  return { line: (stream, line) => write(`${stream === 'stderr' ? '! ' : '  '}${line}`), note: write, close };
}
