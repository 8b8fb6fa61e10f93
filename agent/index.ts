// What the package offers to a program that speaks to a hub. docs/sdk.md is the guide.
export { callTimeoutMsDefault, type Call, type CallOptions } from './call.ts';
export { connect, HubClient, type ConnectOptions } from './client.ts';
export { followProject, type Following } from './follow.ts';
export { httpCaller } from './http.ts';
export { findHub, NoHub, type HubAddress } from './hub-address.ts';
export {
  DoNotRetry,
  Split,
  Stopped,
  type Completion,
  type Handler,
  type SubItem,
  type WorkContext,
} from './work/context.ts';
export type { LostOutcome, Worker, WorkEvent, WorkOptions, WorkStats } from './work/options.ts';
export type { Outcome } from './work/outcome.ts';
export type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';
export { Refusal, type ErrorCode } from '@switchyard/shared/errors';
export type { Claim, Conflict, Event, Item, Status } from '@switchyard/shared/item';
export type { CatchUp, HubToClient, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
