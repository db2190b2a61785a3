import '../style/player.css';
import '../style/recordings.css';
import '../style/timeline.css';
import { effect, useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { usePolled } from '../data/polled.ts';
import { address, go } from '../shell/address.ts';
import { Notice } from '../shell/notice.tsx';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { ClipForm } from './clip-form.tsx';
import { dayOf } from './footage/day.ts';
import { leadUs, neighbour } from './footage/event-search.ts';
import { kindOf } from './footage/occurrence.ts';
import type { SpanTimeline } from './footage/span-timeline.ts';
import { FoundList } from './found-list.tsx';
import { type Place, placeAddress, readPlace, spanOf } from './place.ts';
import { PlaceFilters } from './place-filters.tsx';
import { PlayerView } from './player/player-view.tsx';
import { following, type TimeSpan } from './timeline/time-scale.ts';
import { TimelineView } from './timeline/timeline-view.tsx';

const monitorsIntervalMs = 60_000;
/** The address follows the timeline when it has been still for so long. */
const settleMs = 400;
/** More pictures than these would be too small, and too much for the browser. */
const maxPlayed = 6;
/** A new mark is so long, in microseconds. */
const markUs = 30e6;
/** The player has gone to another time, and not on. In microseconds. */
const jumpUs = 20e6;

export function RecordingsPage() {
  const { value: monitors, problem } = usePolled<readonly MonitorSummary[]>(
    '/api/monitor/states',
    monitorsIntervalMs,
  ).value;
  if (!monitors) {
    if (!problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
    return (
      <Notice state="failed" title={say(recordingTexts.failed)}>
        <p>{problem}</p>
      </Notice>
    );
  }
  if (monitors.length === 0) return <Notice state="empty" title={say(recordingTexts.noMonitors)} />;
  return <Footage monitors={monitors} />;
}

function Footage({ monitors }: { readonly monitors: readonly MonitorSummary[] }) {
  const place = readPlace(address.value.searchParams);
  const current = useRef(place);
  current.current = place;
  const wanted = spanOf(place);
  const span = useSignal<TimeSpan>(wanted);
  const held = useSignal(false);
  const time = useSignal<number | undefined>(undefined);
  const marked = useSignal<TimeSpan | undefined>(undefined);
  // Only the list of recordings follows it: a page that is made anew costs frames of a drag.
  const timeline = useSignal<SpanTimeline | undefined>(undefined);
  const [labels, setLabels] = useState<readonly string[]>([]);
  const show = useCallback((part: Partial<Place>, replace = false) => {
    go(placeAddress({ ...current.current, ...part }), { replace });
  }, []);

  const looked = useMemo(
    () => (place.monitors.length === 0 ? monitors : monitors.filter(({ id }) => place.monitors.includes(id))),
    [monitors, place.monitors.join()],
  );
  const played = useMemo(() => {
    const one = looked.filter(({ id }) => id === place.camera);
    return (one.length > 0 ? one : looked).slice(0, maxPlayed);
  }, [looked, place.camera]);

  useFollowing({ span, held, time }, wanted, show);
  const onAnswers = useCallback((answers: readonly SpanTimeline[]) => {
    timeline.value = answers.at(-1);
    const kinds = answers.flatMap(({ monitors: found }) =>
      found.flatMap(({ events }) => Object.keys(events).map(kindOf)),
    );
    setLabels((before) => {
      const all = [...new Set([...before, ...kinds])].sort();
      return all.length === before.length ? before : all;
    });
  }, []);
  const choose = (at: number, monitorID: string | undefined) => {
    const limited = Math.min(at, Date.now() * 1000);
    // The row of a monitor plays this one; with one on the screen already, that is no question.
    const camera = monitorID !== undefined && looked.length > 1 ? { camera: monitorID } : {};
    show({ ...camera, time: limited }, place.time !== undefined);
    // The address may be what it was.
    time.value = limited;
  };
  // What is asked for last counts, and nothing once somebody has chosen another time, or has left.
  const asking = useRef<AbortController>(undefined);
  useEffect(
    () => () => asking.current?.abort(),
    [place.time, place.camera, place.monitors.join(), place.label],
  );
  const jump = async (direction: 1 | -1): Promise<string | undefined> => {
    asking.current?.abort();
    const aborter = new AbortController();
    asking.current = aborter;
    const { label } = place;
    const cameras = place.camera ? [place.camera] : place.monitors;
    const from = time.value ?? wanted.start;
    try {
      const found = await neighbour({ monitors: cameras, label }, from, direction, aborter.signal);
      if (!found) return say(recordingTexts.noFurtherEvent);
      show({ time: found.start - leadUs }, true);
      time.value = found.start - leadUs;
      return undefined;
    } catch (error) {
      return aborter.signal.aborted ? undefined : (error as Error).message;
    }
  };
  const mark = (edge: 'start' | 'end') => {
    const now = time.value ?? wanted.start;
    const { start, end } = marked.value ?? { start: now - markUs, end: now + markUs };
    marked.value =
      edge === 'start'
        ? { start: now, end: Math.max(end, now + 1e6) }
        : { start: Math.min(start, now - 1e6), end: now };
  };
  const usualMark = () => {
    if (time.value !== undefined) return { start: time.value - markUs / 2, end: time.value + markUs / 2 };
    // The newest that can be seen: what is in the middle may be older than the first recording.
    const end = Math.min(span.value.end, Date.now() * 1000);
    return { start: end - markUs, end };
  };
  const nameOf = (id: string) => monitors.find((one) => one.id === id)?.name;
  return (
    <div class="page recordings-page">
      <h1 class="hidden">{say(shellTexts.recordings)}</h1>
      <PlaceFilters place={place} monitors={monitors} labels={labels} show={show} />
      <TimelineView
        monitors={looked}
        span={span}
        held={held}
        time={time}
        marked={marked}
        label={place.label}
        choose={choose}
        chooseLabel={(label) => show({ label }, true)}
        onAnswers={onAnswers}
      />
      <div class="day">
        <div class="day-player">
          {place.time === undefined ? (
            <p class="player-empty">{say(recordingTexts.choose)}</p>
          ) : (
            <PlayerView
              key={played.map(({ id }) => id).join()}
              monitors={played}
              from={place.time}
              time={time}
              jump={jump}
              mark={mark}
            />
          )}
          {looked.length > 1 && place.time !== undefined && (
            <div class="row">
              {place.camera && (
                <button type="button" onClick={() => show({ camera: undefined, time: time.value }, true)}>
                  {say(recordingTexts.playAll)}
                </button>
              )}
              {!place.camera && looked.length > maxPlayed && (
                <p class="quiet">{say(recordingTexts.playedFirst, { count: maxPlayed })}</p>
              )}
            </div>
          )}
          <ClipForm monitors={played} marked={marked} usual={usualMark} />
        </div>
        <FoundList
          place={place}
          time={time}
          timeline={timeline}
          nameOf={nameOf}
          hasMany={looked.length > 1}
        />
      </div>
    </div>
  );
}

/** The timeline shows what the address says; the address follows the timeline, and both follow the player. */
function useFollowing(
  { span, held, time }: Pick<Parameters<typeof TimelineView>[0], 'span' | 'held' | 'time'>,
  wanted: TimeSpan,
  show: (part: Partial<Place>, replace: boolean) => void,
): void {
  const own = useRef(wanted);
  useEffect(() => {
    const { start, end } = own.current;
    // The address that was made of the timeline, not one that somebody chose.
    if (Math.round(start) === Math.round(wanted.start) && Math.round(end) === Math.round(wanted.end)) return;
    own.current = wanted;
    span.value = wanted;
  }, [wanted.start, wanted.end]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let before: number | undefined;
    // Not in the middle of a drag: the lists that follow the address cost frames of it.
    const endSpan = effect(() => {
      const [next, isHeld] = [span.value, held.value];
      clearTimeout(timer);
      if (next === own.current || isHeld) return;
      timer = setTimeout(() => {
        own.current = next;
        const middle = (next.start + next.end) / 2;
        show({ span: next, day: dayOf(Math.min(middle, Date.now() * 1000)) }, true);
      }, settleMs);
    });
    const endTime = time.subscribe((now) => {
      const { start, end } = span.peek();
      // Somebody who has moved the timeline elsewhere wants to look there.
      const wasSeen = before === undefined || (start <= before && before < end);
      const isJump = now !== undefined && before !== undefined && Math.abs(now - before) > jumpUs;
      before = now;
      if (now !== undefined && (wasSeen || isJump)) span.value = following(span.peek(), now);
    });
    return () => {
      clearTimeout(timer);
      endSpan();
      endTime();
    };
  }, [span, held, time, show]);
}
