import {
  commands,
  type CommandName,
  type CommandOutput,
  type CommandInput,
} from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { Item } from '@switchyard/shared/item';
import type { Resume } from '@switchyard/shared/mcp';
import type { Token } from '@switchyard/shared/project';
import { mayAct } from '../caller.ts';
import { endOfClaim, sidesOf } from '../claim-news.ts';
import { dispatch } from '../dispatch.ts';
import type { LogRow } from '../domain/journal.ts';
import { findHttpSession, sessionClaims, type SessionClaims } from '../domain/sessions.ts';
import { raw } from '../domain/wire.ts';
import type { Hub } from '../hub.ts';
import { Claims } from './claims.ts';
import {
  cancelledNotice,
  conflictNotice,
  heldNotice,
  lostNotice,
  Notices,
  resolvedNotice,
  type Notice,
} from './notices.ts';

export interface Identity {
  token: Token;
  agentId: string;
  /** What the client or its token named; a name made up here is nobody else's, and has no past. */
  named: boolean;
  /** By token or address; null: each call says it, unless there is only one. */
  project: string | null;
  resume: Resume | null;
}

/**
 * One MCP client as an agent: what it holds, and what it has to hear. Nothing here is worth keeping: items and claims are
 * in PostgreSQL, and a client that comes back finds them again.
 */
export class AgentSession {
  readonly hub: Hub;
  readonly identity: Identity;
  readonly claims = new Claims();
  readonly notices = new Notices();
  /** Whether another client of this hub speaks for a claim, which is then none of ours though the agent's name is the same. */
  readonly #isSpokenFor: (itemId: string, attempt: number) => boolean;
  /** Projects whose log is followed, each once all that is standing was read. */
  readonly #entered = new Map<string, Promise<void>>();
  #takenUp: Promise<void> | null = null;
  #ended = false;

  constructor(hub: Hub, identity: Identity, isSpokenFor: (itemId: string, attempt: number) => boolean) {
    this.hub = hub;
    this.identity = identity;
    this.#isSpokenFor = isSpokenFor;
  }

  command<K extends CommandName>(name: K, input: CommandInput<K>): Promise<CommandOutput<K>> {
    return this.dispatch(name, input) as Promise<CommandOutput<K>>;
  }

  /** The way of all commands: role, input, idempotency, refusals. */
  dispatch(name: CommandName, input: unknown): Promise<unknown> {
    return dispatch(this.hub, { token: this.identity.token, session: null }, name, input);
  }

  mayCall(name: CommandName): boolean {
    return mayAct({ token: this.identity.token, session: null }, commands[name].role);
  }

  /** Follows that project's log from now on, and takes up what the agent holds there already. */
  enter(projectId: string): Promise<void> {
    let entering = this.#entered.get(projectId);
    if (this.#ended)
      return Promise.reject(new Refusal('UNAVAILABLE', 'This MCP session is over: initialize another.'));
    if (!entering) {
      entering = this.#enter(projectId).catch((error: unknown) => {
        this.#entered.delete(projectId);
        throw error;
      });
      this.#entered.set(projectId, entering);
    }
    return entering;
  }

  has(projectId: string): boolean {
    return this.#entered.has(projectId);
  }

  async #enter(projectId: string): Promise<void> {
    const { feed, db } = this.hub;
    await feed.follow(projectId);
    const { agentId, named, resume } = this.identity;
    // A bridge knows its claims better: it has them from the answers it passed on.
    if (!named || resume?.session_id) return;
    try {
      const id = await db.read((sql) => findHttpSession(sql, projectId, agentId));
      if (id !== undefined) await this.#adopt(await db.read((sql) => sessionClaims(sql, id)));
    } catch (error) {
      feed.release(projectId);
      throw error;
    }
  }

  async #adopt({ claims, stopping }: SessionClaims): Promise<void> {
    for (const claim of claims) {
      const item = raw<Item>(claim.item);
      if (this.claims.attemptOf(item.id) !== undefined || this.#isSpokenFor(item.id, claim.attempt)) continue;
      this.notices.add(heldNotice(this.claims.note(item, claim.attempt)));
    }
    for (const { item_id, attempt, reason } of stopping) {
      if (this.#isSpokenFor(item_id, attempt)) continue;
      const { item } = await this.command('item.get', { id: item_id });
      const { project_id, number } = item;
      this.notices.add(cancelledNotice({ item_id, project_id, number, attempt }, reason));
    }
  }

  /** Takes up what this client held before: what its bridge says, or else what the agent holds in its project. */
  takeUp(): Promise<void> {
    return (this.#takenUp ??= this.#takeUp().catch((error: unknown) => {
      this.#takenUp = null;
      throw error;
    }));
  }

  async #takeUp(): Promise<void> {
    const { resume, named, project } = this.identity;
    for (const { item_id, attempt } of resume?.claims ?? []) {
      if (this.claims.attemptOf(item_id) !== undefined) continue;
      const found = await ifThere(this.command('item.get', { id: item_id }));
      if (!found) continue;
      await this.enter(found.item.project_id);
      this.claims.note(found.item, attempt);
    }
    if (named && project !== null) {
      // One that is not there is refused to whoever calls a tool.
      const found = await ifThere(this.command('project.get', { project }));
      if (found) await this.enter(found.project.id);
    }
    await this.renew();
  }

  /** A line of the log of a project that this session has entered. */
  hear(row: LogRow): void {
    if (row.type === 'conflict.detected' || row.type === 'conflict.resolved') return this.#hearConflict(row);
    const end = endOfClaim(row);
    const claim = end && this.claims.end(row.item_id, row.attempt);
    if (!claim) return;
    if (row.type === 'item.cancelled') this.notices.add(cancelledNotice(claim, end.reason));
    else if (end.reason === 'lease_expired') this.notices.add(lostNotice(claim));
  }

  #hearConflict(row: LogRow): void {
    for (const { item_id, attempt, conflict } of sidesOf(row)) {
      const claim = this.claims.standing(item_id, attempt);
      if (!claim || conflict.agent_id === this.identity.agentId) continue;
      const tell = row.type === 'conflict.detected' ? conflictNotice : resolvedNotice;
      this.notices.add(tell(claim, conflict));
    }
  }

  /** A sign of life for all that is held: whoever is connected is at work, and a model need not say so. */
  async renew(): Promise<void> {
    const { agentId } = this.identity;
    await Promise.all(
      this.claims.held.map(({ item_id, attempt }) =>
        this.command('item.heartbeat', { id: item_id, attempt, agent_id: agentId }).catch(
          (error: unknown) => {
            if (error instanceof Refusal && error.code === 'CLAIM_LOST')
              this.lose(item_id, attempt, error, true);
            else this.hub.log.debug({ err: error, item_id }, 'could not renew a claim');
          },
        ),
      ),
    );
  }

  /** A refusal told that a claim is over. A cancel has to be confirmed; of a loss nothing more is said unless nobody sees the refusal. */
  lose(itemId: string, attempt: number, { details }: Refusal, unseen: boolean): void {
    const claim = this.claims.end(itemId, attempt);
    if (!claim) return;
    if (details.reason === 'cancelled') this.notices.add(cancelledNotice(claim, null));
    else if (unseen) this.notices.add(lostNotice(claim));
  }

  /** The client has these notices: of what was cancelled it now knows that it is to stop, and the item need not wait. */
  delivered(notices: readonly Notice[]): void {
    const { lanes, works, log } = this.hub;
    const { agentId } = this.identity;
    for (const { kind, item_id, project_id, attempt } of notices) {
      if (kind !== 'cancelled') continue;
      const entry = { actor: agentId, id: item_id, attempt, agent_id: agentId, session_id: null };
      lanes
        .submit(project_id, works.acknowledgeCancel, entry)
        .catch((error: unknown) =>
          log.warn({ err: error, item_id }, 'could not take down that an agent stopped'),
        );
    }
  }

  end(): void {
    this.#ended = true;
    for (const [projectId, entering] of this.#entered) {
      // While it is still entering, it sees that it has ended.
      void entering.then(() => this.hub.feed.release(projectId)).catch(() => {});
    }
    this.#entered.clear();
  }
}

/** Null for what is not there, or not for this token. */
async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
