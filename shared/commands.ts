import type { z } from 'zod';
import { itemCommands } from './commands/items.ts';
import { projectCommands } from './commands/projects.ts';
import { tokenCommands } from './commands/tokens.ts';
import { workCommands } from './commands/work.ts';

export { itemSorts, type DraftItem, type ItemFilter } from './commands/items.ts';
export type { CommandSpec } from './commands/spec.ts';

/** Every command there is, by name: walked to make HTTP routes, socket events and the OpenAPI document. */
export const commands = { ...projectCommands, ...itemCommands, ...workCommands, ...tokenCommands };

export type CommandName = keyof typeof commands;
/** What a caller writes. */
export type CommandInput<K extends CommandName> = z.input<(typeof commands)[K]['input']>;
/** What a command gets, after defaults and normalisation. */
export type ParsedInput<K extends CommandName> = z.output<(typeof commands)[K]['input']>;
export type CommandOutput<K extends CommandName> = z.output<(typeof commands)[K]['output']>;
