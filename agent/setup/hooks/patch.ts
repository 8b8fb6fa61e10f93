const header = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\s*$/gm;

/** The files that a patch of Codex's `apply_patch` adds, changes, deletes or moves to; none when the text is no patch. */
export function patchedFiles(text: string): string[] {
  if (!text.includes('*** Begin Patch')) return [];
  return [...text.matchAll(header)].map((match) => match[1]!);
}
