import { useState } from 'preact/hooks';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clock, dayName, span } from '../texts/times.ts';
import { labelName, leadUs } from './footage/event-search.ts';
import { type FoundOccurrence, kindsIn } from './footage/occurrence.ts';
import { pictureAddress } from './footage/recorded-file.ts';

interface CardsProps {
  /** Newest first. */
  readonly occurrences: readonly FoundOccurrence[];
  /** The time that is played. */
  readonly time: number | undefined;
  nameOf(monitorID: string): string | undefined;
  address(occurrence: FoundOccurrence): string;
}

/** A card for each time that something happened: its best picture, what it was, when and where. */
export function EventCards({ occurrences, time, nameOf, address }: CardsProps) {
  return (
    <ol class="event-cards" aria-label={say(recordingTexts.eventList)}>
      {occurrences.map((occurrence) => {
        const { monitorID, start, end, labels, best } = occurrence;
        const isPlayed = time !== undefined && start - leadUs <= time && time <= end;
        const words = (
          <>
            <Picture event={best} />
            <span class="recording-words">
              <strong>{kindsIn(labels).map(labelName).join(', ')}</strong>
              <span>{nameOf(monitorID)}</span>
              <span class="quiet">
                {dayName(start)}, {clock(start)}
                {end - start >= 1e6 && ` · ${span(end - start)}`}
              </span>
              {best.recording === null && <span class="quiet">{say(recordingTexts.notRecorded)}</span>}
            </span>
          </>
        );
        return (
          <li key={`${monitorID} ${start}`} data-monitor={monitorID}>
            {best.recording === null ? (
              <div class="card-body">{words}</div>
            ) : (
              <a
                class="card-body"
                href={address(occurrence)}
                data-page
                aria-current={isPlayed ? 'true' : undefined}
              >
                {words}
              </a>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** The detector's snapshot, or the frame from the recording. */
function Picture({ event: { id, recording, snapshot, time } }: { readonly event: FoundOccurrence['best'] }) {
  const [missing, setMissing] = useState(0);
  if (recording === null) return <span class="no-picture" />;
  const frame = pictureAddress(recording, time);
  const address = (snapshot ? [`/api/event/${id}/snapshot.jpeg`, frame] : [frame])[missing];
  if (address === undefined) return <span class="no-picture" />;
  const next = () => setMissing(missing + 1);
  return <img src={address} alt="" loading="lazy" width="160" height="90" onError={next} />;
}
