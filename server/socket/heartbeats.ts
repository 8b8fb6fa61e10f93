import type { Heartbeat, HeartbeatAnswer } from '@switchyard/shared/agent';
import type { Session } from '../caller.ts';
import type { ProgressEntry } from '../domain/report.ts';
import { beat, type BeatAnswer } from '../domain/sessions.ts';
import type { Hub } from '../hub.ts';

interface Waiting {
  session: Session;
  said: Heartbeat;
  resolve: (answer: HeartbeatAnswer) => void;
  reject: (error: unknown) => void;
}

/** Signs of life of all agents of this hub; those that arrive while a statement is under way share the next. */
export class Heartbeats {
  readonly #hub: Hub;
  #waiting: Waiting[] = [];
  #beating = false;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  hear(session: Session, said: Heartbeat): Promise<HeartbeatAnswer> {
    this.#reportProgress(session, said);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ session, said, resolve, reject });
      if (!this.#beating) void this.#beat();
    });
  }

  /** Progress is a change of the item and goes the way of all changes; the beat does not wait for it. */
  #reportProgress(session: Session, said: Heartbeat): void {
    const { log } = this.#hub;
    for (const { item_id, attempt, progress, note } of said.claims) {
      if (progress === undefined && note === undefined) continue;
      const entry = {
        actor: session.agentId,
        id: item_id,
        attempt,
        agent_id: session.agentId,
        session_id: session.id,
        progress,
        note,
      };
      this.#takeDown(session.projectId, entry).catch((error: unknown) =>
        log.debug({ err: error, item_id }, 'could not take down progress'),
      );
    }
  }

  /** Of several reports on one claim in one batch the first counts; the others come again, one by one. */
  async #takeDown(projectId: string, entry: ProgressEntry): Promise<void> {
    const { lanes, works } = this.#hub;
    const outcome = await lanes.submit(projectId, works.reportProgress, entry);
    if (outcome.kind === 'rows' && outcome.rows.length === 0)
      await lanes.submit(projectId, works.reportProgress, entry, { alone: true });
  }

  async #beat(): Promise<void> {
    this.#beating = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const beats = batch.map(({ session, said }) => ({
        project_id: session.projectId,
        session_id: session.id,
        connection_id: session.connectionId,
        claims: said.claims.map(({ item_id, attempt }) => ({ item_id, attempt })),
      }));
      try {
        const answer = await this.#hub.db.control((sql) => beat(sql, beats, this.#hub.timing.leaseSeconds));
        batch.forEach((one, place) => one.resolve(answerFor(answer, place)));
      } catch (error) {
        batch.forEach((one) => one.reject(error));
      }
    }
    this.#beating = false;
  }
}

function answerFor({ now, gone }: BeatAnswer, place: number): HeartbeatAnswer {
  const mine = gone.filter((one) => one.ord === place);
  const claims = (all: BeatAnswer['gone']) =>
    all.map(({ item_id, attempt, reason }) => ({ item_id, attempt, reason }));
  return { server_time: now, lost: claims(mine), cancelled: claims(mine.filter((one) => one.cancelled)) };
}
