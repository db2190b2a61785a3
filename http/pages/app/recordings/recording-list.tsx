import { translated } from '../data/recorder-sentences.ts';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clock, dayName, size, span } from '../texts/times.ts';
import { labelName } from './footage/event-search.ts';
import { kindOf } from './footage/occurrence.ts';
import { pictureAddress, type RecordedFile } from './footage/recorded-file.ts';
import { labelsIn, type SpanTimeline } from './footage/span-timeline.ts';
import { RecordingActions } from './recording-actions.tsx';

interface ListProps {
  readonly files: readonly RecordedFile[];
  readonly timeline: SpanTimeline | undefined;
  /** The time that is played. */
  readonly time: number | undefined;
  nameOf(monitorID: string): string | undefined;
  address(file: RecordedFile): string;
  onChanged(): void;
}

export function RecordingList({ files, timeline, time, nameOf, address, onChanged }: ListProps) {
  return (
    <ol class="recordings" aria-label={say(recordingTexts.list)}>
      {files.map((file) => {
        const { id, monitorID, start, end, bytes, state, reason } = file;
        const until = end ?? Date.now() * 1000;
        const isPlayed = time !== undefined && start <= time && time < until;
        const counts = new Map<string, number>();
        for (const [label, count] of labelsIn(timeline, monitorID, start, until))
          counts.set(kindOf(label), (counts.get(kindOf(label)) ?? 0) + count);
        return (
          <li key={id}>
            <a href={address(file)} data-page aria-current={isPlayed ? 'true' : undefined}>
              {file.away ? (
                <span class="no-picture" />
              ) : (
                <img src={pictureAddress(id)} alt="" loading="lazy" width="160" height="90" />
              )}
              <span class="recording-words">
                <strong>
                  {dayName(start)}, {clock(start)}
                </strong>
                <span>{nameOf(monitorID)}</span>
                <span class="quiet">
                  {state === 'recording' ? say(recordingTexts.running) : span(until - start)}
                  {bytes !== null && ` · ${size(bytes)}`}
                  {file.protected && ` · ${say(recordingTexts.protected)}`}
                  {file.machine !== undefined && !file.away && ` · ${file.machine}`}
                </span>
                {file.away && (
                  <span class="bad">{say(recordingTexts.away, { machine: file.machine ?? '' })}</span>
                )}
                {state === 'lost' && (
                  <span class="bad">{say(recordingTexts.lost, { reason: translated(reason) })}</span>
                )}
                <span class="labels">
                  {[...counts].map(([kind, count]) => (
                    <span class="label" key={kind}>
                      {labelName(kind)} {count}
                    </span>
                  ))}
                </span>
              </span>
            </a>
            <RecordingActions file={file} onChanged={onChanged} />
          </li>
        );
      })}
    </ol>
  );
}
