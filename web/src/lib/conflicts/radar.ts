import type { ConflictPair } from '@switchyard/shared/item';

type Party = ConflictPair['items'][number];

/** A file that more than one claimed item is about. */
export interface SharedFile {
  file: string;
  kind: ConflictPair['kind'];
  /** Since when two of them share it. */
  since: string;
  /** By number, each once. */
  items: (Party & { kind: ConflictPair['kind'] })[];
}

/**
 * Pairs of items, turned into files with all who share them: those already touched first, then the oldest. A pair is
 * modified if any of its files is; `hasTouched` tells which of them.
 */
export function byFile(
  pairs: readonly ConflictPair[],
  hasTouched: (id: string, file: string) => boolean,
): SharedFile[] {
  const files = new Map<string, SharedFile>();
  for (const { conflicting_files, since, items } of pairs)
    for (const file of conflicting_files) {
      const shared = files.get(file) ?? { file, kind: 'planned', since, items: [] };
      if (since < shared.since) shared.since = since;
      for (const item of items) {
        if (shared.items.some((one) => one.work_item_id === item.work_item_id)) continue;
        const kind = hasTouched(item.work_item_id, file) ? 'modified' : 'planned';
        shared.items.push({ ...item, kind });
        if (kind === 'modified') shared.kind = kind;
      }
      files.set(file, shared);
    }
  for (const { items } of files.values()) items.sort((a, b) => a.number - b.number);
  return [...files.values()].sort(
    (a, b) =>
      Number(b.kind === 'modified') - Number(a.kind === 'modified') ||
      a.since.localeCompare(b.since) ||
      a.file.localeCompare(b.file),
  );
}
