import type { ReadonlySignal } from '@preact/signals';
import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type Polled, usePolled } from '../data/polled.ts';
import { Notice } from '../shell/notice.tsx';
import { stored } from '../shell/stored.ts';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { EventCards } from './event-cards.tsx';
import { eventQuery, leadUs } from './footage/event-search.ts';
import type { FoundOccurrence } from './footage/occurrence.ts';
import type { RecordedFile } from './footage/recorded-file.ts';
import type { SpanTimeline } from './footage/span-timeline.ts';
import { type Place, placeAddress, spanOf } from './place.ts';
import { RecordingList } from './recording-list.tsx';

interface FoundProps {
  readonly place: Place;
  /** The time that is played. */
  readonly time: ReadonlySignal<number | undefined>;
  readonly timeline: ReadonlySignal<SpanTimeline | undefined>;
  /** Whether several cameras are looked at. */
  readonly hasMany: boolean;
  nameOf(monitorID: string): string | undefined;
}

const lists = ['events', 'recordings'] as const;
const shownList = stored('recordings.list', lists, 'events');
const maxFiles = 1000;
const maxOccurrences = 300;
/** While the present is on the screen, and otherwise: of what is over, recordings can only be deleted. */
const [presentIntervalMs, pastIntervalMs] = [10_000, 60_000];
/** Of longer spans a new event is hardly seen, and the recorder takes seconds to list those of a month. */
const promptSpanUs = 24 * 3_600_000_000;

/** What happened, or was recorded, in the part of time on the screen. */
export function FoundList(props: FoundProps) {
  return (
    <div>
      <fieldset class="segments list-choice">
        <legend class="hidden">{say(recordingTexts.shownList)}</legend>
        {lists.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="list"
              checked={shownList.value === one}
              onChange={() => {
                shownList.value = one;
              }}
            />
            <span>{say(one === 'events' ? recordingTexts.events : recordingTexts.recordings)}</span>
          </label>
        ))}
      </fieldset>
      {shownList.value === 'events' ? <Events {...props} /> : <Recordings {...props} />}
    </div>
  );
}

/** To the second: the list does not follow the player frame by frame. */
function useSecond(time: ReadonlySignal<number | undefined>): number | undefined {
  return useComputed(() => time.value && Math.floor(time.value / 1e6) * 1e6).value;
}

function useSpan(place: Place) {
  const { start, end } = spanOf(place);
  const query = `start=${Math.max(0, Math.round(start))}&end=${Math.round(end)}`;
  const isPrompt = end > Date.now() * 1000 && end - start <= promptSpanUs;
  return { query, intervalMs: isPrompt ? presentIntervalMs : pastIntervalMs };
}

function Events({ place, time, nameOf, hasMany }: FoundProps) {
  const { query, intervalMs } = useSpan(place);
  const polled = usePolled<readonly FoundOccurrence[]>(
    `/api/event/occurrences?${eventQuery(place, maxOccurrences)}&${query}`,
    intervalMs,
  ).value;
  const now = useSecond(time);
  if (!polled.value) return <Waiting polled={polled} />;
  const occurrences = polled.value;
  if (occurrences.length === 0) {
    return (
      <Notice state="empty" title={say(recordingTexts.noEventsHere)}>
        <p>{say(recordingTexts.noEventsHint)}</p>
      </Notice>
    );
  }
  return (
    <>
      <EventCards
        occurrences={occurrences}
        time={now}
        nameOf={nameOf}
        address={({ monitorID, start }) =>
          placeAddress({ ...place, ...(hasMany && { camera: monitorID }), time: start - leadUs })
        }
      />
      {occurrences.length >= maxOccurrences && (
        <p class="quiet">{say(recordingTexts.eventsCapped, { count: occurrences.length })}</p>
      )}
    </>
  );
}

function Recordings({ place, time, timeline, nameOf, hasMany }: FoundProps) {
  const { query, intervalMs } = useSpan(place);
  const monitors = place.monitors.length > 0 ? `monitors=${place.monitors.join(',')}&` : '';
  const [version, setVersion] = useState(0);
  const polled = usePolled<readonly RecordedFile[]>(
    `/api/recording/query?${monitors}${query}&limit=${maxFiles}`,
    intervalMs,
    version,
  ).value;
  const now = useSecond(time);
  if (!polled.value) return <Waiting polled={polled} />;
  if (polled.value.length === 0) {
    return (
      <Notice state="empty" title={say(recordingTexts.none)}>
        <p>{say(recordingTexts.noneHint)}</p>
      </Notice>
    );
  }
  return (
    <>
      <RecordingList
        files={polled.value}
        timeline={timeline.value}
        time={now}
        nameOf={nameOf}
        address={({ monitorID, start }) =>
          placeAddress({ ...place, ...(hasMany && { camera: monitorID }), time: start })
        }
        onChanged={() => setVersion((before) => before + 1)}
      />
      {polled.value.length >= maxFiles && (
        <p class="quiet">{say(recordingTexts.capped, { count: maxFiles })}</p>
      )}
    </>
  );
}

function Waiting({ polled: { problem } }: { readonly polled: Polled<unknown> }) {
  if (!problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
  return (
    <Notice state="failed" title={say(recordingTexts.failed)}>
      <p>{problem}</p>
    </Notice>
  );
}
