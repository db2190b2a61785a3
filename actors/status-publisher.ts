import type { AnyActorRef } from 'xstate';
import { fromCallback } from 'xstate';
import { nowUs } from '../bus/base/time.ts';
import type { Log } from '../bus/log.ts';
import type { MonitorStatus } from '../bus/messages.ts';
import type { Outbox } from '../bus/nats/outbox.ts';
import { history, status } from '../bus/subjects.ts';
import { causeOf, monitorState } from './machines/monitor.ts';

/** Publishes a monitor's state and logs its changes. */
export function statusPublisherActor(outbox: () => Outbox, log: Log) {
  return fromCallback<{ type: 'stop' }, { monitorID: string; monitor: AnyActorRef }>(({ input }) => {
    const { monitorID, monitor } = input;
    const say = changesOf(monitorID, log);
    let last: MonitorStatus | undefined;
    const report = (now: ReturnType<typeof monitorState>, cause: string) => {
      const same =
        now.state === last?.state && now.recording === last.recording && now.reason === last.reason;
      if (same) return;
      const since = now.state === last?.state ? last.since : nowUs();
      if (now.state !== last?.state) say(now.state, now.reason, cause);
      last = { monitorID, ...now, since };
      outbox().add(status, [monitorID], last);
      outbox().add(history, [monitorID], last);
    };
    const subscription = monitor.subscribe((snapshot) => report(monitorState(snapshot), causeOf(snapshot)));
    return () => {
      subscription.unsubscribe();
      report({ state: 'stopped', recording: false, reason: '' }, '');
    };
  });
}

/**
 * Logs each change once. A camera that is offline for days causes one entry, not one for every attempt: until it streams
 * again, only a different cause is logged.
 */
function changesOf(
  monitorID: string,
  log: Log,
): (state: MonitorStatus['state'], reason: string, cause: string) => void {
  let trouble: string | undefined;
  return (state, reason, cause) => {
    const known = trouble !== undefined;
    const text = reason === '' ? state : `${state}: ${reason}`;
    if (state === 'waiting') {
      if (trouble === cause) log.debug(text, monitorID);
      else log.error(text, monitorID);
      trouble = cause;
    } else if (state === 'connecting' && known) {
      log.debug(text, monitorID);
    } else {
      if (state !== 'connecting') trouble = undefined;
      log.info(text, monitorID);
    }
  };
}
