import { join } from 'node:path';
import { Logger } from '../../bus/logging/logger.ts';
import type { LogEntry, RecordingReport } from '../../bus/messages.ts';
import type {
  PipelineEnd,
  PipelineReport,
  PipelineSession,
  VideoSource,
} from '../../pipelines/protocol/pipeline-protocol.ts';
import { StreamSession } from '../../pipelines/stream-session.ts';
import { atEnd } from './cleanup.ts';
import { temporaryFolder } from './folder.ts';
import { nowhere } from './pipeline.ts';
import { recordingsIn } from './recordings.ts';

/** A pipeline without its process, so that a test can run many; `pipeline.ts` has whole ones. */
export interface StreamInProcess {
  readonly entries: readonly LogEntry[];
  readonly reports: readonly PipelineReport[];
  readonly recordingReports: readonly RecordingReport[];
  readonly end: Promise<PipelineEnd>;
  stop(): Promise<PipelineEnd>;
  recordings(): Promise<string[]>;
  readonly session: StreamSession;
}

/** It records all that comes, and is stopped when the test is over. */
export async function startInProcess(
  source: VideoSource,
  options: Partial<PipelineSession> = {},
): Promise<StreamInProcess> {
  const recordingsDir = join(await temporaryFolder(), 'recordings');
  const entries: LogEntry[] = [];
  const reports: PipelineReport[] = [];
  const recordingReports: RecordingReport[] = [];
  const logger = new Logger((entry) => entries.push(entry));
  const session = new StreamSession({
    session: {
      ...{ monitorID: 'door', source, recordingsDir, alwaysRecord: true, videoLength: 3600_000 },
      ...{
        patienceMs: 10_000,
        maxPatienceMs: 60_000,
        recordSubStream: false,
        eventsLateMs: 2000,
        isSubDetected: false,
      },
      ...{ bus: nowhere, log: { repeatLimit: 100, printDebug: false } },
      ...options,
    },
    monitorLog: logger.source('monitor'),
    recorderLog: logger.source('recorder'),
    onReport: (report) => reports.push(report),
    onRecordingReport: (report) => recordingReports.push(report),
    onUnits: () => {},
    onLive: () => {},
  });
  const end = session.run();
  const stop = () => {
    session.stop();
    return end;
  };
  atEnd(async () => void (await stop()));
  const recordings = () => recordingsIn(recordingsDir);
  return { entries, reports, recordingReports, end, stop, recordings, session };
}
