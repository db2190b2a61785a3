import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clock, size, span } from '../texts/times.ts';
import { type DayTimeline, labelsIn, type RecordedFile } from './recorded-day.ts';

interface ListProps {
  readonly files: readonly RecordedFile[];
  readonly timeline: DayTimeline | undefined;
  readonly chosen: string | undefined;
  address(file: RecordedFile): string;
}

export function RecordingList({ files, timeline, chosen, address }: ListProps) {
  return (
    <ol class="recordings" aria-label={say(recordingTexts.list)}>
      {files.map((file) => {
        const { id, start, end, bytes, state, reason } = file;
        const until = end ?? Date.now() * 1000;
        return (
          <li key={id}>
            <a href={address(file)} data-page aria-current={id === chosen ? 'true' : undefined}>
              <img
                src={`/api/recording/${id}/thumbnail.jpeg`}
                alt=""
                loading="lazy"
                width="160"
                height="90"
              />
              <span class="recording-words">
                <strong>{clock(start)}</strong>
                <span class="quiet">
                  {state === 'recording' ? say(recordingTexts.running) : span(until - start)}
                  {bytes !== null && ` · ${size(bytes)}`}
                </span>
                {state === 'lost' && <span class="bad">{say(recordingTexts.lost, { reason })}</span>}
                <span class="labels">
                  {labelsIn(timeline, start, until).map(([label, count]) => (
                    <span class="label" key={label}>
                      {label} {count}
                    </span>
                  ))}
                </span>
              </span>
            </a>
          </li>
        );
      })}
    </ol>
  );
}
