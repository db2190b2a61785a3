import type { RecordingReport, RecordingStream } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { Outbox } from '../../../bus/nats/outbox.ts';
import { parseRecordingID } from '../../../bus/recording-id.ts';
import { recordings } from '../../../bus/subjects.ts';
import type { FragmentIndex } from '../fragments/fragment-index.ts';
import type { MovieTrack } from '../mp4/movie-header.ts';
import { RemovalReports } from '../removal-reports.ts';
import type { CatalogueChange } from './archive-check.ts';

/** Reports that may wait, and how long they may take. */
const batchSize = 1000;
const flushDeadlineMs = 30_000;

/** Publishes what the catalogue is made from, for recordings that it does not know as they are. */
export class CatalogueRepair {
  readonly #found = new Outbox(batchSize, () => {});
  readonly #removals: RemovalReports;
  #waiting = 0;

  constructor(bus: Bus) {
    this.#found.attach(bus);
    this.#removals = new RemovalReports(bus, () => {});
  }

  async add(id: string, change: CatalogueChange): Promise<void> {
    if (change.isGone) this.#removals.add(id, 'the file was gone');
    else this.#report(id, change);
    this.#waiting += 1;
    if (this.#waiting === batchSize) await this.flush();
  }

  /** Waits until the bus has stored all reports. */
  async flush(): Promise<void> {
    this.#waiting = 0;
    await this.#found.flush(flushDeadlineMs);
    await this.#removals.flush(flushDeadlineMs);
  }

  #report(id: string, { start: known, bytes, index }: Exclude<CatalogueChange, { isGone: true }>): void {
    const name = parseRecordingID(id);
    if (!name) return;
    const { monitorID } = name;
    // The file does not say when it began; its name does, to the second.
    const start = known ?? name.startMs * 1000;
    const end = start + lengthUs(index);
    const streams = streamsIn(index);
    const report: RecordingReport = { id, monitorID, state: 'saved', start, end, bytes, streams, reason: '' };
    this.#found.add(recordings, [monitorID], report);
  }
}

function lengthUs({ movie, fragments }: FragmentIndex): number {
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (!first || !last) return 0;
  const ticks = last.decodeTime + last.duration - first.decodeTime;
  return Math.max(0, Math.round((ticks * 1e6) / movie.video.ticksPerSecond));
}

/** The sample entries of ISO/IEC 14496-15 and 14496-14. */
const codecs: Readonly<Record<string, string>> = {
  ...{ avc1: 'h264', avc3: 'h264', hvc1: 'h265', hev1: 'h265', mp4a: 'aac' },
};

function streamsIn({ movie: { video, audio } }: FragmentIndex): RecordingStream[] {
  const [width, height] = [video.width, video.height].map((fixed) => Math.floor(fixed / 65_536));
  const picture = { codec: codecOf(video), ...(width && height && { width, height }) };
  return audio ? [picture, { codec: codecOf(audio) }] : [picture];
}

/** In `stsd`, the type of the first entry follows the box's header, its version, the count and the entry's size. */
function codecOf({ descriptions }: MovieTrack): string {
  const type = descriptions.toString('latin1', 20, 24);
  return codecs[type] ?? (type || 'unknown');
}
