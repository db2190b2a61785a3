import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { translated } from '../../data/recorder-sentences.ts';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { liveTexts } from '../../texts/live-texts.ts';
import { say } from '../../texts/say.ts';
import { shortTime } from '../../texts/times.ts';

/** The state of a monitor in words, with its reason. */
export function StateBadge({ monitor }: { readonly monitor: MonitorSummary }) {
  const { state, reason, recording } = monitor;
  return (
    <span class="state" data-state={state}>
      <strong>{stateWords(monitor)}</strong>
      {recording && <span> · {say(cameraTexts.recording)}</span>}
      {reason !== '' && <span class="quiet"> · {translated(reason)}</span>}
    </span>
  );
}

function stateWords({ state, since }: MonitorSummary): string {
  switch (state) {
    case 'streaming':
      return say(cameraTexts.streaming);
    case 'connecting':
      return say(liveTexts.stateConnecting);
    case 'waiting':
      return since === null
        ? say(liveTexts.stateOffline)
        : say(liveTexts.stateWaiting, { time: shortTime(since) });
    case 'disabled':
      return say(liveTexts.stateDisabled);
    case 'stopping':
      return say(liveTexts.stateStopping);
    case 'stopped':
      return say(liveTexts.stateStopped);
  }
}
