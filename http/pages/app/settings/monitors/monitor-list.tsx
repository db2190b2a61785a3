import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { usePolled } from '../../data/polled.ts';
import { Notice } from '../../shell/notice.tsx';
import { cameraTexts } from '../../texts/camera-texts.ts';
import { say } from '../../texts/say.ts';
import { settingsTexts } from '../../texts/settings-texts.ts';
import { shellTexts } from '../../texts/shell-texts.ts';
import { StateBadge } from './state-badge.tsx';

const intervalMs = 2000;

/** Where a new monitor is made. */
const newAddress = '/settings?monitor=';

/** All monitors with their states. */
export function MonitorList() {
  const { value: monitors, problem } = usePolled<readonly MonitorSummary[]>(
    '/api/monitor/states',
    intervalMs,
  ).value;
  if (!monitors) {
    if (!problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
    return (
      <Notice state="failed" title={say(settingsTexts.failed)}>
        <p>{problem}</p>
      </Notice>
    );
  }
  const add = (
    <a class="button primary" href={newAddress} data-page>
      {say(cameraTexts.add)}
    </a>
  );
  if (monitors.length === 0)
    return (
      <Notice state="empty" title={say(cameraTexts.none)}>
        <p>{say(cameraTexts.noneHint)}</p>
        {add}
      </Notice>
    );
  return (
    <section>
      <div class="toolbar">
        <h2>{say(settingsTexts.monitors)}</h2>
        {add}
      </div>
      {problem && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      <ul class="things">
        {monitors.map((monitor) => (
          <li key={monitor.id}>
            <a href={`/settings?monitor=${monitor.id}`} data-page>
              <span class="thing-name">{monitor.name}</span>
              <span class="quiet">{monitor.id}</span>
              <StateBadge monitor={monitor} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
