import type { Conflict } from '@switchyard/shared/item';
import type { RunConsole } from './console.ts';

const namedMax = 5;

/** Says once of each file which other work shares it, and when that is over. */
export function conflictNotes(item: number, to: RunConsole): (conflicts: readonly Conflict[]) => void {
  let standing = new Map<string, Conflict>();
  return (conflicts) => {
    for (const conflict of conflicts) {
      const before = standing.get(conflict.work_item_id);
      const known = before?.kind === conflict.kind ? before.conflicting_files : [];
      const files = conflict.conflicting_files.filter((file) => !known.includes(file));
      if (files.length > 0) to.say(noteOf(conflict, files), { item, style: 'yellow' });
    }
    const now = new Map(conflicts.map((conflict) => [conflict.work_item_id, conflict]));
    for (const [id, { number, agent_id }] of standing)
      if (!now.has(id)) to.say(`no longer shares files with #${number} (${agent_id})`, { item });
    standing = now;
  };
}

function noteOf({ number, agent_id, kind }: Conflict, files: readonly string[]): string {
  const named = files.slice(0, namedMax).join(', ');
  const more = files.length > namedMax ? ` and ${files.length - namedMax} more` : '';
  const verb = files.length > 1 ? 'are' : 'is';
  const does = kind === 'modified' ? 'being changed' : 'planned';
  return `⚠ ${named}${more} ${verb} also ${does} by #${number} (${agent_id})`;
}
