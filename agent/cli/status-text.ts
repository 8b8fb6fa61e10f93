import type { AgentInfo, Progress } from '@switchyard/shared/agent';
import type { ConflictPair } from '@switchyard/shared/item';
import type { Project } from '@switchyard/shared/project';
import { filesText, painted } from './item-text.ts';
import { nameOf } from './naming.ts';
import type { Output, Style } from './output.ts';
import { cut, table } from './table.ts';
import { duration, fromNow } from './time.ts';

export interface ProjectStatus {
  project: Project;
  progress: Progress;
  agents: AgentInfo[];
  conflicts: ConflictPair[];
}

const barWidth = 40;
const barWidthMin = 10;
const parentsMax = 10;

/** How far a project is, who works on what, and who shares files, for people. */
export function statusText(out: Output, { project, progress, agents, conflicts }: ProjectStatus): string {
  const done = `${progress.done} of ${progress.total - progress.cancelled} done`;
  const room = out.width - [project.name, ' 100%', done].join('  ').length;
  const width = Math.max(barWidthMin, Math.min(barWidth, room));
  return [
    `${out.style('bold', project.name)}  ${bar(out, progress.percent, width)}  ${done}`,
    countsOf(out, progress),
    paceOf(progress),
    ...parentLines(out, progress),
    '',
    ...agentLines(out, agents),
    ...conflictLines(out, conflicts),
  ].join('\n');
}

/** `████████░░░░ 67%`. Full only when all is done. */
function bar(out: Output, percent: number, width: number): string {
  const full = Math.floor((percent / 100) * width);
  const shown = percent < 100 ? Math.floor(percent) : 100;
  return `${out.style('green', '█'.repeat(full))}${out.style('dim', '░'.repeat(width - full))} ${shown}%`;
}

function countsOf(out: Output, progress: Progress): string {
  const counts = (['ready', 'blocked', 'claimed', 'failed', 'cancelled'] as const)
    .filter((state) => progress[state] > 0 || state === 'ready')
    .map((state) => painted(out, state, `${progress[state]} ${state}`));
  return counts.join('   ');
}

function paceOf({ total, finished_last_hour, eta_seconds, percent }: Progress): string {
  if (total === 0) return 'Nothing to do yet. Add work: switchyard add TITLE, or switchyard import FILE';
  const pace = `${finished_last_hour} finished in the last hour`;
  if (percent >= 100) return pace;
  return eta_seconds === null ? pace : `${pace}; at that pace done in about ${duration(eta_seconds)}`;
}

function parentLines(out: Output, { parents }: Progress): string[] {
  const open = parents.filter(({ percent }) => percent < 100).slice(0, parentsMax);
  if (open.length === 0) return [];
  const rows = table(out, open, [
    { title: '#', of: ({ number }) => String(number), align: 'right' },
    { title: 'PART', of: ({ title }) => title, flexible: true },
    { title: 'DONE', of: ({ done, total, cancelled }) => `${done} of ${total - cancelled}`, align: 'right' },
    { title: '', of: ({ percent }) => `${Math.floor(percent)}%`, align: 'right' },
  ]);
  return ['', rows];
}

const stateColours: Record<AgentInfo['state'], Style> = {
  working: 'cyan',
  idle: 'green',
  stale: 'yellow',
  away: 'dim',
};

function agentLines(out: Output, agents: readonly AgentInfo[]): string[] {
  if (agents.length === 0) return ['No agent has come yet. One way in: switchyard claim --next'];
  return [
    table(out, agents, [
      { title: 'AGENT', of: ({ agent_id }) => agent_id },
      {
        title: 'STATE',
        of: ({ state }) => state,
        paint: (text, { state }) => out.style(stateColours[state], text),
      },
      { title: 'DONE', of: ({ completed_count }) => String(completed_count), align: 'right' },
      { title: 'SEEN', of: ({ last_seen_at }) => fromNow(last_seen_at) },
      { title: 'HOLDS', of: holdsOf, flexible: true },
    ]),
  ];
}

function holdsOf({ claims }: AgentInfo): string {
  return claims
    .map((claim) => nameOf(claim) + (claim.progress === null ? '' : ` (${Math.round(claim.progress)}%)`))
    .join(' · ');
}

function conflictLines(out: Output, conflicts: readonly ConflictPair[]): string[] {
  if (conflicts.length === 0) return [];
  const lines = conflicts.map(({ items, conflicting_files, kind }) => {
    const both = items.map((item) => `${nameOf(item)} (${item.agent_id})`).join(' and ');
    const files = filesText(conflicting_files);
    return cut(`  ${both} share ${files}${kind === 'modified' ? ', touched already' : ''}`, out.width);
  });
  return ['', out.style('yellow', 'Files that two work on:'), ...lines];
}
