/**
 * How an entry of ours stands in a file: `missing`; `current`, as it would be written now; `stale`, ours but not as it
 * would be written now; `changed`, there but not as we ever write it, so a person's by now.
 */
export type State = 'missing' | 'current' | 'stale' | 'changed';

/** One thing that setup puts into a text. All work on the whole text of a file; what else is in it stays as it is. */
export interface Entry {
  /** As a person reads it: `server "switchyard"`. */
  readonly label: string;
  /** Throws `FileRefused` for a text that is broken. */
  state(text: string): Standing;
  /** For which project and hub the entry is that stands there; only servers know. */
  settings?(text: string): Settings;
  /** The text with the entry as it is to be; only called when it is missing or stale. */
  write(text: string): string;
  /** The text without it; '' when nothing is left that was there before. Only called for what is ours. */
  erase(text: string): string;
}

export interface Standing {
  readonly state: State;
  /** What a person should know of it, such as in what it was changed. */
  readonly why?: string;
}

export interface Settings {
  readonly project?: string | undefined;
  readonly url?: string | undefined;
}

/** A file, and what is to be in it. */
export interface FilePlan {
  readonly path: string;
  /** The path as it is shown: relative to the folder, or from `~`. */
  readonly shown: string;
  readonly entries: readonly Entry[];
}
