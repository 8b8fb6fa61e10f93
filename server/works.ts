import { acknowledgeCancel, cancelItems, retryItems, type CancelEntry } from './domain/cancel.ts';
import { claimItems, claimNext, type ClaimEntry, type ClaimNextEntry } from './domain/claim.ts';
import { completeItems, type CompleteEntry } from './domain/complete.ts';
import { createItems, type CreateEntry } from './domain/create.ts';
import { failItems, releaseItems, type FailEntry, type ReleaseEntry } from './domain/give-back.ts';
import type { HeldEntry } from './domain/held.ts';
import type { Entry } from './domain/journal.ts';
import { reportFiles, reportProgress, type ProgressEntry, type ReportFilesEntry } from './domain/report.ts';
import {
  connectSessions,
  disconnectSessions,
  type ConnectEntry,
  type DisconnectEntry,
} from './domain/sessions.ts';
import { requeueDue, sweepLeases, type SweepEntry } from './domain/sweep.ts';
import { setPriority, updateItem, type UpdateEntry } from './domain/update.ts';
import type { Work } from './lanes.ts';
import type { Timing } from './settings.ts';

/** Every kind of change there is. */
export function worksFor({ leaseSeconds, heartbeatSeconds, graceSeconds }: Timing) {
  const lease = {
    seconds: leaseSeconds,
    renewBelowSeconds: leaseSeconds - Math.min(heartbeatSeconds, leaseSeconds / 2),
  };
  return {
    connect: work<ConnectEntry>('connect', (sql, id, all) => connectSessions(sql, id, all, leaseSeconds)),
    disconnect: work<DisconnectEntry>('disconnect', (sql, id, all) =>
      disconnectSessions(sql, id, all, graceSeconds),
    ),
    reportFiles: work<ReportFilesEntry>('report_files', (sql, id, all) => reportFiles(sql, id, all, lease)),
    reportProgress: work<ProgressEntry>('progress', (sql, id, all) => reportProgress(sql, id, all, lease)),
    complete: work<CompleteEntry>('complete', completeItems),
    fail: work<FailEntry>('fail', failItems),
    release: work<ReleaseEntry>('release', releaseItems),
    acknowledgeCancel: work<HeldEntry>('acknowledge_cancel', acknowledgeCancel),
    sweep: work<SweepEntry>('sweep', sweepLeases),
    requeueDue: work<Entry>('requeue_due', (sql, id) => requeueDue(sql, id)),
    create: work<CreateEntry>('create', (sql, id, [entry]) => createItems(sql, id, entry!)),
    update: work<UpdateEntry>('update', (sql, id, [entry]) => updateItem(sql, id, entry!)),
    cancel: work<CancelEntry>('cancel', (sql, id, [entry]) => cancelItems(sql, id, entry!)),
    retry: work<Entry & { id: string }>('retry', retryItems),
    setPriority: work<Entry & { id: string; priority: number }>('set_priority', setPriority),
    claim: work<ClaimEntry & { id: string }>('claim', (sql, id, all) => claimItems(sql, id, all, lease)),
    claimNext: (taskTypes: readonly string[] | null) =>
      work<ClaimNextEntry>('claim_next', (sql, id, all) => claimNext(sql, id, all, taskTypes, lease)),
  };
}

export type Works = ReturnType<typeof worksFor>;

function work<E extends Entry>(name: string, run: Work<E>['run']): Work<E> {
  return { name, run };
}
