import { diskStates } from '../../store/recordings/retention/retention-rules.ts';
import type { StorageReport } from '../../store/recordings/retention/storage-figures.ts';
import { family, type MetricSample } from './metric-family.ts';

/** The use of the storage in Prometheus' text format. What is not known has no sample. */
export function storageMetrics(report: StorageReport): string {
  const { maxBytes, disk, daysLeft, monitors } = report;
  const { recordingBytes: recordings, snapshotBytes: snapshots, logBytes: log, busBytes: bus } = report;
  const kept = Object.entries({ recordings, snapshots, log, bus });
  const ofMonitors = (value: (monitor: StorageReport['monitors'][number]) => number | null): MetricSample[] =>
    monitors.flatMap((monitor) => sampleOf({ monitor: monitor.id }, value(monitor)));
  return [
    family(
      'storage_bytes',
      'gauge',
      'What the recorder keeps, by kind',
      kept.map(([kind, bytes]) => [{ kind }, bytes]),
    ),
    family('storage_limit_bytes', 'gauge', 'Limit of all that the recorder keeps', [[{}, maxBytes]]),
    family(
      'storage_days_left',
      'gauge',
      'Days until the oldest recordings are deleted for space, at the rate of the last day',
      sampleOf({}, daysLeft),
    ),
    family('disk_size_bytes', 'gauge', 'Size of the disk', [[{}, disk.size]]),
    family('disk_free_bytes', 'gauge', 'Free space on the disk', [[{}, disk.free]]),
    family('disk_others_bytes', 'gauge', 'What files of others take on the disk', [[{}, disk.others]]),
    family(
      'disk_state',
      'gauge',
      '1 for the state of the disk at the last check, 0 for the others',
      diskStates.map((state): MetricSample => [{ state }, state === disk.state ? 1 : 0]),
    ),
    family(
      'monitor_recordings',
      'gauge',
      'Recordings of the monitor on disk',
      ofMonitors(({ recordings: count }) => count),
    ),
    family(
      'monitor_storage_bytes',
      'gauge',
      'What the recordings of the monitor take',
      ofMonitors(({ bytes }) => bytes),
    ),
    family(
      'monitor_storage_protected_bytes',
      'gauge',
      'What the protected recordings of the monitor take',
      ofMonitors(({ protectedBytes }) => protectedBytes),
    ),
    family(
      'monitor_storage_bytes_per_day',
      'gauge',
      'What the monitor records in a day, at the rate of the last day',
      ofMonitors(({ bytesPerDay }) => bytesPerDay),
    ),
    family(
      'monitor_storage_days_left',
      'gauge',
      'Days until the oldest recordings of the monitor are deleted for space',
      ofMonitors(({ daysLeft: days }) => days),
    ),
    family(
      'monitor_oldest_recording_timestamp_seconds',
      'gauge',
      'When the oldest recording of the monitor began, Unix time',
      ofMonitors(({ oldest }) => (oldest === null ? null : oldest / 1e6)),
    ),
  ].join('');
}

const sampleOf = (labels: MetricSample[0], value: number | null): MetricSample[] =>
  value === null ? [] : [[labels, value]];
