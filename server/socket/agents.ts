import { endOfClaim, sidesOf } from '../claim-news.ts';
import type { LogRow } from '../domain/journal.ts';
import { sessionClaims, type SessionClaims } from '../domain/sessions.ts';
import type { Hub } from '../hub.ts';
import { verbatim } from '../json.ts';
import type { HubSocket, LocalAgent } from './types.ts';

/** The agents connected to this hub: who they are, and what the log has for each of them. */
export class Agents {
  readonly #hub: Hub;
  /** By session. */
  readonly #agents = new Map<string, LocalAgent>();
  readonly #ofProject = new Map<string, Set<LocalAgent>>();

  constructor(hub: Hub) {
    this.#hub = hub;
    hub.feed.onRows((projectId, rows) => {
      if (this.#ofProject.has(projectId)) for (const row of rows) this.#hear(row);
    });
  }

  /** Those of one project, who was offered something longest ago first; empty when there are none. */
  of(projectId: string): ReadonlySet<LocalAgent> {
    return this.#ofProject.get(projectId) ?? new Set();
  }

  /** It was offered something: in {@link of}, the others come before it now. */
  moveBack(agent: LocalAgent): void {
    const all = this.#ofProject.get(agent.session.projectId);
    if (all?.delete(agent)) all.add(agent);
  }

  get size(): number {
    return this.#agents.size;
  }

  /** Opens or resumes the session, and tells the agent what it still holds and what it must stop. */
  async connect(socket: HubSocket, capacity: number): Promise<LocalAgent> {
    const { hub, session, token } = { hub: this.#hub, ...socket.data.caller };
    if (!session) throw new Error('a socket without a session is no agent');
    const entry = {
      actor: session.agentId,
      session_id: session.id,
      agent_id: session.agentId,
      token_id: token.id,
      connection_id: session.connectionId,
      task_types: session.taskTypes,
      capacity,
    };
    const agent: LocalAgent = {
      socket,
      session,
      capacity,
      held: new Set(),
      unsaid: [],
      freeSinceMs: 0,
      connectedSeq: null,
    };
    this.#admit(agent);
    try {
      const outcome = await hub.lanes.submit(session.projectId, hub.works.connect, entry);
      if (outcome.kind !== 'rows' || outcome.rows.length === 0) throw new SessionTaken(session.id);
      const [connected] = outcome.rows;
      agent.connectedSeq = connected!.seq;
      this.#sayReady(agent, connected!.at, await hub.db.read((sql) => sessionClaims(sql, session.id)));
      return agent;
    } catch (error) {
      this.remove(agent);
      throw error;
    }
  }

  #sayReady(agent: LocalAgent, now: string, { claims, stopping }: SessionClaims): void {
    const { hub, socket, session } = { hub: this.#hub, ...agent };
    agent.held = new Set(claims.map(({ item_id, attempt }) => claimKey(item_id, attempt)));
    socket.emit('session.ready', {
      session_id: session.id,
      agent_id: session.agentId,
      lease_seconds: hub.timing.leaseSeconds,
      heartbeat_seconds: hub.timing.heartbeatSeconds,
      server_time: now,
      claims: claims.map(({ item, attempt, lease_expires_at }) => ({
        item: verbatim(item),
        attempt,
        lease_expires_at,
        session_id: session.id,
      })),
    });
    for (const claim of stopping)
      this.#tellCancelled(agent, { ...claim, reason: claim.reason ?? 'cancelled' });
    const unsaid = agent.unsaid ?? [];
    agent.unsaid = null;
    for (const say of unsaid) say();
  }

  #admit(agent: LocalAgent): void {
    const { session } = agent;
    const before = this.#agents.get(session.id);
    this.#agents.set(session.id, agent);
    // The newest connection of a session speaks for it; an older one is half-open, or a mistake.
    if (before) {
      this.#ofProject.get(session.projectId)?.delete(before);
      before.socket.disconnect(true);
    }
    const all = this.#ofProject.get(session.projectId) ?? new Set();
    this.#ofProject.set(session.projectId, all.add(agent));
  }

  remove(agent: LocalAgent): void {
    const { id, projectId } = agent.session;
    if (this.#agents.get(id) === agent) this.#agents.delete(id);
    const all = this.#ofProject.get(projectId);
    all?.delete(agent);
    if (all?.size === 0) this.#ofProject.delete(projectId);
  }

  #hear(row: LogRow): void {
    if (row.type === 'conflict.detected' || row.type === 'conflict.resolved') return this.#tellConflict(row);
    if (row.type === 'agent.connected') return this.#dropIfMoved(row);
    const agent = row.session_id === null ? undefined : this.#agents.get(row.session_id);
    if (agent) inTurn(agent, () => this.#followClaim(agent, row));
  }

  #followClaim(agent: LocalAgent, row: LogRow): void {
    const end = endOfClaim(row);
    if (row.type !== 'item.claimed' && !end) return;
    const key = claimKey(row.item_id!, row.attempt!);
    if (!end) return void agent.held.add(key);
    agent.held.delete(key);
    agent.freeSinceMs = performance.now();
    const claim = { item_id: row.item_id!, attempt: row.attempt!, reason: end.reason };
    if (row.type === 'item.cancelled') this.#tellCancelled(agent, claim);
    else if (end.reason === 'lease_expired') agent.socket.emit('claim.lost', claim);
  }

  #tellCancelled(agent: LocalAgent, claim: { item_id: string; attempt: number; reason: string }): void {
    agent.socket.emit('claim.cancelled', claim, () => {
      const { hub, session } = { hub: this.#hub, session: agent.session };
      const entry = {
        actor: session.agentId,
        id: claim.item_id,
        attempt: claim.attempt,
        agent_id: session.agentId,
        session_id: session.id,
      };
      hub.lanes
        .submit(session.projectId, hub.works.acknowledgeCancel, entry)
        .catch((error: unknown) =>
          hub.log.warn(
            { err: error, ...claim },
            'could not take down that an agent stopped; it will be told again',
          ),
        );
    });
  }

  #tellConflict(row: LogRow): void {
    for (const { session_id, item_id, attempt, conflict } of sidesOf(row)) {
      const agent = this.#agents.get(session_id);
      if (!agent) continue;
      const event = row.type as 'conflict.detected' | 'conflict.resolved';
      inTurn(agent, () => agent.socket.emit(event, { item_id, attempt, conflicts: [conflict] }));
    }
  }

  /** The session has a newer connection, perhaps on another hub. */
  #dropIfMoved(row: LogRow): void {
    const { session_id, connection_id } = JSON.parse(row.data) as {
      session_id: string;
      connection_id: string;
    };
    const agent = this.#agents.get(session_id);
    // A line about an earlier connection may come after a later one was admitted here.
    const newer = row.seq! > (agent?.connectedSeq ?? Infinity);
    if (newer && agent?.session.connectionId !== connection_id) agent?.socket.disconnect(true);
  }
}

const claimKey = (itemId: string, attempt: number) => `${itemId} ${attempt}`;

/** At once, or after `session.ready`. */
function inTurn(agent: LocalAgent, say: () => void): void {
  if (agent.unsaid) agent.unsaid.push(say);
  else say();
}

export class SessionTaken extends Error {
  constructor(id: string) {
    super(`session ${id} belongs to another agent`);
  }
}
