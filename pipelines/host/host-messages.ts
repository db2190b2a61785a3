import type { PipelineReport, PipelineSession } from '../protocol/pipeline-protocol.ts';

/** The messages between main and a process of sessions: plain data that travels over IPC. */

/** Main to process. `id` is a number that main gives to a session, and never twice in one process. */
export type HostOrder =
  | { type: 'start'; id: number; session: PipelineSession }
  /** This session ends, in an orderly way; the others go on. */
  | { type: 'stop'; id: number }
  /** The process ends, after the sessions that it still has. */
  | { type: 'leave' };

/** Process to main. */
export type HostMessage =
  /** As the heartbeat's lease asks for it: the event loop turns. */
  | { type: 'alive' }
  | { type: 'report'; id: number; report: PipelineReport }
  /** No other session should begin here: what leaks in native code has been used up, or a session hangs. */
  | { type: 'worn' }
  /** An error escaped; the process ends itself. `detail` holds no credentials. */
  | { type: 'failing'; detail: string };
