import type { EventType } from '@switchyard/shared/item';
import type { Tone } from '#lib/ui/tone.ts';

const tones: Partial<Record<EventType, Tone>> = {
  'item.claimed': 'claimed',
  'item.completed': 'done',
  'item.failed': 'failed',
  'item.requeued': 'warn',
  'item.cancelled': 'cancelled',
  'conflict.detected': 'warn',
  'conflict.resolved': 'done',
  'agent.connected': 'done',
  'agent.disconnected': 'warn',
};

export const toneOf = (type: EventType): Tone => tones[type] ?? 'todo';
