import { eventTypes, type Event, type EventType } from '@switchyard/shared/item';

/** What of a log is asked for; what is left out holds nothing back. */
export interface LogFilter {
  type?: EventType;
  /** The agent that did it, or to whom it happened. */
  agent?: string;
  /** The number of an item. */
  item?: number;
}

/** Not `type` and `item`, which mean a task's type and the open panel everywhere. */
export const logParameters = ['event', 'agent', 'about'] as const;

/** The filter as it stands in an address; what makes no sense is passed over. */
export function readLogFilter(parameters: Pick<URLSearchParams, 'get'>): LogFilter {
  const type = eventTypes.find((one) => one === parameters.get('event'));
  const agent = parameters.get('agent');
  const item = Number(parameters.get('about')?.replace('#', ''));
  return {
    ...(type ? { type } : {}),
    ...(agent ? { agent } : {}),
    ...(Number.isSafeInteger(item) && item > 0 ? { item } : {}),
  };
}

type Line = Pick<Event, 'type' | 'actor' | 'session_id' | 'data'>;

/** Whether a line passes; of which item it is, is for the caller. `sessions`: those known to be the agent's. */
export function passes({ type, agent }: LogFilter, line: Line, sessions: ReadonlySet<string>): boolean {
  if (type !== undefined && line.type !== type) return false;
  if (agent === undefined || line.actor === agent || line.data.assigned_agent_id === agent) return true;
  // The hub put its claim back, or a person cancelled it.
  return line.session_id !== null && sessions.has(line.session_id);
}
