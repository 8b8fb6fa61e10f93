import type { Status } from '@switchyard/shared/item';

/** What colour says; tokens.css has a class `tone-…` for each. */
export type Tone = Status | 'warn';
