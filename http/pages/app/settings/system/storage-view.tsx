import type {
  MonitorStorage,
  StorageReport,
} from '../../../../../store/recordings/retention/storage-figures.ts';
import type { MonitorSummary } from '../../../../state/monitor-summary.ts';
import { usePolled } from '../../data/polled.ts';
import { say } from '../../texts/say.ts';
import { systemTexts } from '../../texts/settings-texts.ts';
import { shortTime, size } from '../../texts/times.ts';
import { Loading } from '../form/loading.tsx';

const intervalMs = 10_000;
const namesIntervalMs = 60_000;

/** What the recorder keeps, and for how long there is space. */
export function StorageView() {
  const { value: storage, problem } = usePolled<StorageReport>('/api/storage', intervalMs).value;
  const names = usePolled<readonly MonitorSummary[]>('/api/monitor/states', namesIntervalMs).value.value;
  if (!storage) return <Loading problem={problem} />;
  const { recordingBytes, disk } = storage;
  // What a disk has not got is not promised.
  const maxBytes = Math.min(storage.maxBytes, recordingBytes + disk.free);
  const parts = [
    [systemTexts.recordings, recordingBytes],
    [systemTexts.protected, storage.protectedBytes],
    [systemTexts.snapshots, storage.snapshotBytes],
    [systemTexts.log, storage.logBytes],
    [systemTexts.bus, storage.busBytes],
    [systemTexts.free, disk.free],
  ] as const;
  return (
    <section>
      <div class="toolbar">
        <h2>{say(systemTexts.storage)}</h2>
      </div>
      <div class="card">
        <p>
          <strong>{say(systemTexts.used, { used: size(recordingBytes), max: size(maxBytes) })}</strong>{' '}
          {daysWords(storage.daysLeft, recordingBytes)}
        </p>
        <progress max={maxBytes} value={recordingBytes} aria-label={say(systemTexts.storage)} />
        <p class={disk.state === 'room' ? 'quiet' : 'warning'}>{say(systemTexts[disk.state])}</p>
        {storage.isFilling && <p class="warning">{say(systemTexts.filling)}</p>}
        <dl class="facts">
          {parts.map(([text, bytes]) => (
            <div key={text.en}>
              <dt>{say(text)}</dt>
              <dd>{size(bytes)}</dd>
            </div>
          ))}
        </dl>
        <p class="hint">{say(systemTexts.limitHint)}</p>
      </div>
      <h3>{say(systemTexts.byMonitor)}</h3>
      <p class="hint">{say(systemTexts.retentionHint)}</p>
      <ul class="things">
        {storage.monitors.map((use) => {
          const name = names?.find(({ id }) => id === use.id)?.name;
          const words = (
            <>
              <span class="thing-name">{name ?? use.id}</span>
              <span>{size(use.bytes)}</span>
              <span class="quiet">{useWords(use)}</span>
            </>
          );
          return (
            <li key={use.id}>
              {name === undefined ? (
                <span class="thing">{words}</span>
              ) : (
                <a href={`/settings?monitor=${use.id}`} data-page>
                  {words}
                </a>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function useWords({ oldest, bytes, bytesPerDay, daysLeft }: MonitorStorage): string {
  return [
    ...(oldest === null ? [] : [say(systemTexts.since, { time: shortTime(oldest) })]),
    // Said for all cameras above.
    ...(bytesPerDay === 0
      ? []
      : [say(systemTexts.perDay, { size: size(bytesPerDay) }), daysWords(daysLeft, bytes)]),
  ].join(' · ');
}

function daysWords(days: number | null, recordedBytes: number): string {
  if (days === null) return say(recordedBytes > 0 ? systemTexts.spaceUnknown : systemTexts.nothingRecorded);
  if (days === 0) return say(systemTexts.deletedNow);
  return say(systemTexts.daysLeft, { days: days < 10 ? Math.round(days * 10) / 10 : Math.round(days) });
}
