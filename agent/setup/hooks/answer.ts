import type { Client } from '../client-names.ts';
import type { HookEvent } from './input.ts';

/** What a hook has to say, before it is put into a client's words. */
export type Outcome =
  | { readonly kind: 'silent' }
  /** The model is to know this; what it does goes on. */
  | { readonly kind: 'context'; readonly text: string }
  /** The edit is not made. */
  | { readonly kind: 'deny'; readonly text: string }
  /** The agent is not to stop yet. */
  | { readonly kind: 'hold'; readonly text: string };

export const silent: Outcome = { kind: 'silent' };

/** Whether a client lets a hook speak to the model before an edit without refusing it. */
export const hearsBeforeEdits: Record<Client, boolean> = {
  claude: true,
  codex: true,
  cursor: false,
  gemini: false,
};

const eventNames: Record<Client, Record<HookEvent, string>> = {
  claude: {
    'session-start': 'SessionStart',
    'pre-edit': 'PreToolUse',
    'post-edit': 'PostToolUse',
    stop: 'Stop',
  },
  codex: {
    'session-start': 'SessionStart',
    'pre-edit': 'PreToolUse',
    'post-edit': 'PostToolUse',
    stop: 'Stop',
  },
  gemini: {
    'session-start': 'SessionStart',
    'pre-edit': 'BeforeTool',
    'post-edit': 'AfterTool',
    stop: 'AfterAgent',
  },
  cursor: {
    'session-start': 'sessionStart',
    'pre-edit': 'preToolUse',
    'post-edit': 'postToolUse',
    stop: 'stop',
  },
};

/** The answer on stdout as the client reads it; '' where nothing is to be said. */
export function answerText(client: Client, event: HookEvent, outcome: Outcome): string {
  const answer = client === 'cursor' ? cursorAnswer(event, outcome) : commonAnswer(client, event, outcome);
  return answer === null ? '' : `${JSON.stringify(answer)}\n`;
}

function commonAnswer(client: Client, event: HookEvent, outcome: Outcome): object | null {
  const hookEventName = eventNames[client][event];
  // Gemini CLI reads an answer at all times, and has words of its own for a refusal.
  const isGemini = client === 'gemini';
  switch (outcome.kind) {
    case 'silent':
      return isGemini ? {} : null;
    case 'context':
      return { hookSpecificOutput: { hookEventName, additionalContext: outcome.text } };
    case 'deny':
      if (isGemini) return { decision: 'deny', reason: outcome.text };
      return {
        hookSpecificOutput: {
          hookEventName,
          permissionDecision: 'deny',
          permissionDecisionReason: outcome.text,
        },
      };
    case 'hold':
      return { decision: isGemini ? 'deny' : 'block', reason: outcome.text };
  }
}

function cursorAnswer(event: HookEvent, outcome: Outcome): object {
  // Cursor refuses an edit whose hook answers with anything that it does not expect.
  if (event === 'pre-edit' && outcome.kind !== 'deny') return { permission: 'allow' };
  switch (outcome.kind) {
    case 'silent':
      return {};
    case 'context':
      return { additional_context: outcome.text };
    case 'deny':
      return { permission: 'deny', user_message: outcome.text, agent_message: outcome.text };
    case 'hold':
      return { followup_message: outcome.text };
  }
}
