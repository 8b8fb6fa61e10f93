// Tens of megabytes take a second, and a file made to be slow takes for ever: here it holds nothing up, and can be ended.
import { parseBacklog } from '@switchyard/shared/import/backlog';
import { decodeText } from '@switchyard/shared/import/bytes';
import { Unreadable } from '@switchyard/shared/import/unreadable';
import type { ReadAnswer } from './read.ts';

function read(bytes: Uint8Array): ReadAnswer {
  try {
    return { plan: parseBacklog(decodeText(bytes)) };
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

addEventListener('message', ({ data }: MessageEvent<Uint8Array>) => postMessage(read(data)));
