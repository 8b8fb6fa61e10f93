/** The clients that setup knows. Apart from what they read: a hook needs their names alone, and is to start quickly. */
export const clients = ['claude', 'codex', 'cursor', 'gemini'] as const;
export type Client = (typeof clients)[number];
