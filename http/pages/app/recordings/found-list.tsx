import type { ReadonlySignal } from '@preact/signals';
import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type Polled, usePolled } from '../data/polled.ts';
import { getJson } from '../data/request.ts';
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
import { pageLength, useOlderPages } from './older-pages.ts';
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
  const span = spanOf(place);
  const [start, end] = [Math.max(0, Math.round(span.start)), Math.round(span.end)];
  const isPrompt = end > Date.now() * 1000 && end - start <= promptSpanUs;
  return { start, end, intervalMs: isPrompt ? presentIntervalMs : pastIntervalMs };
}

function Events(props: FoundProps) {
  const { place } = props;
  const { start, end, intervalMs } = useSpan(place);
  const query = `/api/event/occurrences?${eventQuery(place, pageLength)}&start=${start}&end=${end}`;
  const polled = usePolled<readonly FoundOccurrence[]>(query, intervalMs).value;
  if (!polled.value) return <Waiting polled={polled} />;
  if (polled.value.length === 0) {
    return (
      <Notice state="empty" title={say(recordingTexts.noEventsHere)}>
        <p>{say(recordingTexts.noEventsHint)}</p>
      </Notice>
    );
  }
  return <FoundEvents {...props} key={query} first={polled.value} query={query} />;
}

interface FoundEventsProps extends FoundProps {
  readonly first: readonly FoundOccurrence[];
  readonly query: string;
}

function FoundEvents({ place, time, nameOf, hasMany, first, query }: FoundEventsProps) {
  const older = useOlderPages(
    first,
    ({ monitorID, start }) => `${monitorID} ${start}`,
    // Two may begin at the same time; one that goes on beyond it is whole on the page that it begins on.
    (last) => getJson<FoundOccurrence[]>(`${query}&before=${last.start + 1}`),
  );
  return (
    <>
      <EventCards
        occurrences={older.items}
        time={useSecond(time)}
        nameOf={nameOf}
        address={({ monitorID, start }) =>
          placeAddress({ ...place, ...(hasMany && { camera: monitorID }), time: start - leadUs })
        }
      />
      <More {...older} />
    </>
  );
}

function Recordings(props: FoundProps) {
  const { place } = props;
  const { start, end, intervalMs } = useSpan(place);
  const monitors = place.monitors.length > 0 ? `monitors=${place.monitors.join(',')}&` : '';
  const [version, setVersion] = useState(0);
  const query = `/api/recording/query?${monitors}start=${start}&end=${end}&limit=${pageLength}`;
  const polled = usePolled<readonly RecordedFile[]>(query, intervalMs, version).value;
  if (!polled.value) return <Waiting polled={polled} />;
  if (polled.value.length === 0) {
    return (
      <Notice state="empty" title={say(recordingTexts.none)}>
        <p>{say(recordingTexts.noneHint)}</p>
      </Notice>
    );
  }
  const onChanged = () => setVersion((before) => before + 1);
  return <FoundFiles {...props} key={query} first={polled.value} {...{ query, version, onChanged }} />;
}

interface FoundFilesProps extends FoundProps {
  readonly first: readonly RecordedFile[];
  readonly query: string;
  readonly version: number;
  onChanged(): void;
}

function FoundFiles(props: FoundFilesProps) {
  const { place, time, timeline, nameOf, hasMany, first, query, version, onChanged } = props;
  const older = useOlderPages(
    first,
    ({ id }) => id,
    (last) => getJson<RecordedFile[]>(`${query}&before=${last.id}`),
    version,
  );
  return (
    <>
      <RecordingList
        files={older.items}
        timeline={timeline.value}
        time={useSecond(time)}
        nameOf={nameOf}
        address={({ monitorID, start }) =>
          placeAddress({ ...place, ...(hasMany && { camera: monitorID }), time: start })
        }
        onChanged={onChanged}
      />
      <More {...older} />
    </>
  );
}

function More({
  more,
  isBusy,
  problem,
}: Pick<ReturnType<typeof useOlderPages>, 'more' | 'isBusy' | 'problem'>) {
  return (
    <>
      {more && (
        <button type="button" class="more" aria-disabled={isBusy} onClick={more}>
          {say(isBusy ? shellTexts.loading : recordingTexts.more)}
        </button>
      )}
      {problem && <p class="bad">{problem}</p>}
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
