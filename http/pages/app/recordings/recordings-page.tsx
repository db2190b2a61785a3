import { useSignal } from '@preact/signals';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { usePolled } from '../data/polled.ts';
import { address, go } from '../shell/address.ts';
import { Icon } from '../shell/icons.tsx';
import { Notice } from '../shell/notice.tsx';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { shellTexts } from '../texts/shell-texts.ts';
import { ClipForm } from './clip-form.tsx';
import { dayLater, rangeOf, today } from './day.ts';
import { DayStrip } from './day-timeline.tsx';
import { maxFiles, type RecordedFile, useRecordedDay } from './recorded-day.ts';
import { RecordingList } from './recording-list.tsx';
import { RecordingPlayer } from './recording-player.tsx';

const monitorsIntervalMs = 60_000;

/** What the page's address says: the monitor, the day, and the time to play from. */
interface Place {
  readonly monitor: string;
  readonly day: string;
  readonly time?: number;
}

const addressOf = ({ monitor, day, time }: Place) =>
  `/recordings?monitor=${monitor}&day=${day}${time === undefined ? '' : `&time=${Math.round(time)}`}`;

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
  const query = address.value.searchParams;
  const monitor = query.get('monitor') ?? monitors[0]?.id;
  if (monitor === undefined) return <Notice state="empty" title={say(recordingTexts.noMonitors)} />;
  const named = query.get('day') ?? '';
  const day = /^\d{4}-\d\d-\d\d$/.test(named) ? named : today();
  const time = Number(query.get('time') ?? Number.NaN);
  const place = { monitor, day, ...(Number.isFinite(time) && { time }) };
  return (
    <div class="page">
      <Choices place={place} monitors={monitors} />
      <Day key={`${monitor} ${day}`} place={place} />
    </div>
  );
}

interface ChoicesProps {
  readonly place: Place;
  readonly monitors: readonly MonitorSummary[];
}

function Choices({ place: { monitor, day }, monitors }: ChoicesProps) {
  const show = (part: Partial<Place>) => go(addressOf({ monitor, day, ...part }));
  return (
    <div class="toolbar">
      <select
        aria-label={say(recordingTexts.monitor)}
        value={monitor}
        onChange={({ currentTarget: { value } }) => show({ monitor: value })}
      >
        {monitors.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <div class="row">
        <a
          class="button icon-button"
          href={addressOf({ monitor, day: dayLater(day, -1) })}
          data-page
          aria-label={say(recordingTexts.dayBefore)}
          title={say(recordingTexts.dayBefore)}
        >
          <Icon name="back" />
        </a>
        <input
          type="date"
          aria-label={say(recordingTexts.day)}
          value={day}
          max={today()}
          onChange={({ currentTarget: { value } }) => value && show({ day: value })}
        />
        {day < today() && (
          <a
            class="button icon-button"
            href={addressOf({ monitor, day: dayLater(day, 1) })}
            data-page
            aria-label={say(recordingTexts.dayAfter)}
            title={say(recordingTexts.dayAfter)}
          >
            <Icon name="forward" />
          </a>
        )}
      </div>
    </div>
  );
}

function Day({ place }: { readonly place: Place }) {
  const { monitor, day, time } = place;
  const { files, timeline } = useRecordedDay(monitor, day);
  // A signal: only the strip follows the player, not the whole list.
  const shownTime = useSignal<number | undefined>(undefined);
  if (!files.value) {
    if (!files.problem) return <Notice state="busy" title={say(shellTexts.loading)} />;
    return (
      <Notice state="failed" title={say(recordingTexts.failed)}>
        <p>{files.problem}</p>
      </Notice>
    );
  }
  const list = files.value;
  if (list.length === 0) {
    return (
      <Notice state="empty" title={say(recordingTexts.none)}>
        <p>{say(recordingTexts.noneHint)}</p>
      </Notice>
    );
  }
  const chosen = time === undefined ? undefined : fileAt(list, time);
  const play = (from: number) => {
    const file = fileAt(list, from);
    if (file)
      go(addressOf({ ...place, time: Math.max(from, file.start) }), { replace: chosen !== undefined });
  };
  return (
    <>
      <DayStrip day={day} range={rangeOf(day)} timeline={timeline} time={shownTime} choose={play} />
      <div class="day">
        <div class="day-player">
          {chosen && time !== undefined ? (
            <>
              <RecordingPlayer
                file={chosen}
                from={time}
                onTime={(now) => {
                  shownTime.value = now;
                }}
                onEnd={() => {
                  const next = list[list.indexOf(chosen) - 1];
                  if (next) play(next.start);
                }}
              />
              <ClipForm
                key={chosen.id}
                monitorID={monitor}
                day={day}
                start={chosen.start}
                end={chosen.end ?? Date.now() * 1000}
              />
            </>
          ) : (
            <p class="player-empty">{say(recordingTexts.choose)}</p>
          )}
        </div>
        <div>
          <RecordingList
            files={list}
            timeline={timeline}
            chosen={chosen?.id}
            address={({ start }) => addressOf({ ...place, time: start })}
          />
          {list.length >= maxFiles && <p class="quiet">{say(recordingTexts.capped, { count: maxFiles })}</p>}
        </div>
      </div>
    </>
  );
}

/** The recording that shows this time; in a gap, the next one. `files` are newest first. */
function fileAt(files: readonly RecordedFile[], time: number): RecordedFile | undefined {
  return files.findLast(({ end }) => end === null || time < end);
}
