import { setTimeout as sleep } from 'node:timers/promises';
import { fromCallback } from 'xstate';
import { monotonicMs } from '../bus/base/time.ts';
import type { DetectionEvent } from '../bus/messages.ts';
import type { Bus } from '../bus/nats/bus.ts';
import { lastStored } from '../bus/nats/jetstream.ts';
import { events } from '../bus/subjects.ts';
import type { PipelinePool } from '../pipelines/host/pipeline-pool.ts';
import type { PipelineSession } from '../pipelines/protocol/pipeline-protocol.ts';
import type { MonitorEvent, PipelineInput } from './machines/monitor.ts';

const lookAttempts = 10;
const lookPauseMs = 300;

/** The monitor machine's real actors: a session in a pipeline process, and the events of its detectors. */

/** @param toSession may throw; the monitor then waits, with the error as its reason. */
export function pipelineActor(
  pool: PipelinePool,
  toSession: (input: PipelineInput) => Promise<PipelineSession>,
) {
  return fromCallback<{ type: 'stop' }, PipelineInput>(({ input, sendBack, receive }) => {
    const report = (event: MonitorEvent) => sendBack(event);
    const stop = new AbortController();
    receive(() => stop.abort());
    void run();
    return () => stop.abort();

    async function run(): Promise<void> {
      try {
        const end = await pool.run(await toSession(input), {
          signal: stop.signal,
          onReport(pipeline) {
            if (pipeline.type === 'streaming') report({ type: 'pipeline.streaming' });
            if (pipeline.type === 'trouble') report({ type: 'pipeline.trouble', text: pipeline.text ?? '' });
            if (pipeline.type === 'recording') {
              report({ type: 'pipeline.recording', recording: pipeline.file !== null });
            }
          },
        });
        report({ type: 'pipeline.ended', ...end });
      } catch (error) {
        report({ type: 'pipeline.ended', reason: 'failed', detail: (error as Error).message });
      }
    }
  });
}

/**
 * Receives the events of a monitor's detectors: new ones, and the last one of each detector that was published while there
 * was no subscription, because the bus or main was restarting.
 *
 * @param duration seconds for which a monitor records after an event of this source.
 */
export function detectionsActor(
  bus: () => Bus,
  sources: readonly string[],
  duration: (monitorID: string, source: string) => number,
) {
  return fromCallback<{ type: 'stop' }, { monitorID: string }>(({ input: { monitorID }, sendBack }) => {
    const hear = ({ time, source }: DetectionEvent) => {
      // An event cannot be in the future; its time is, if the clock was set back meanwhile.
      const seenMs = Math.min(monotonicMs(time), performance.now());
      const until = seenMs * 1000 + duration(monitorID, source) * 1e6;
      sendBack({ type: 'detected', until } satisfies MonitorEvent);
    };
    let stopped = false;
    // Subscribed before this query, so no event is missed between the two.
    const catchUp = () => {
      for (const source of sources) void hearLast(source);
    };
    const hearLast = async (source: string) => {
      for (let attempt = 1; attempt <= lookAttempts && !stopped; attempt += 1) {
        try {
          const last = await lastStored(bus(), 'EVENTS', events, [monitorID, source]);
          if (last && !stopped) hear(last);
          return;
        } catch {
          // A restarted bus loads its streams first.
          await sleep(lookPauseMs);
        }
      }
    };
    const unsubscribe = bus().subscribe(events, [monitorID, '*'], hear);
    const forgetReconnect = bus().onReconnect(catchUp);
    catchUp();
    return () => {
      stopped = true;
      unsubscribe();
      forgetReconnect();
    };
  });
}
