import type { ReadonlySignal } from '@preact/signals';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { type DayRange, timeOn } from './day.ts';
import type { DayTimeline } from './recorded-day.ts';

interface TimelineProps {
  readonly day: string;
  readonly range: DayRange;
  readonly timeline: DayTimeline | undefined;
  /** The time that the player shows. */
  readonly time: ReadonlySignal<number | undefined>;
  /** A time was chosen. */
  choose(time: number): void;
}

const hours = [0, 3, 6, 9, 12, 15, 18, 21];
/** In microseconds. */
const second = 1e6;
/** An arrow key goes so far. */
const stepSeconds = 10;
/** Units of the drawing. */
const [width, height] = [1000, 40];

/** The day as a strip, with a slider over it: mouse, finger and arrow keys choose a time. */
export function DayStrip({ day, range, timeline, time, choose }: TimelineProps) {
  const at = (us: number) => ((us - range.start) / (range.end - range.start)) * width;
  const { bucket = 1, start = 0, monitors = [] } = timeline ?? {};
  const [shown] = monitors;
  const now = time.value;
  const left = (index: number) => at(start + index * bucket);
  return (
    <div class="strip">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {shown?.recorded.map(([first, last]) => (
          <rect
            key={first}
            class="recorded"
            x={left(first)}
            y="16"
            width={Math.max(1, left(last + 1) - left(first))}
            height="24"
          />
        ))}
        {Object.entries(shown?.events ?? {}).flatMap(([label, buckets]) =>
          buckets.map(([index]) => (
            <rect
              key={`${label} ${index}`}
              class="event"
              x={left(index)}
              y="4"
              width={Math.max(1.5, left(1) - left(0))}
              height="10"
            />
          )),
        )}
        {now !== undefined && <rect class="now" x={at(now) - 1} y="0" width="2" height={height} />}
      </svg>
      <input
        type="range"
        aria-label={say(recordingTexts.timeline)}
        title={say(recordingTexts.timeline)}
        min={range.start / second}
        max={range.end / second}
        step={stepSeconds}
        value={(now ?? range.start) / second}
        onChange={({ currentTarget }) => choose(currentTarget.valueAsNumber * second)}
      />
      <div class="hours" aria-hidden="true">
        {hours.map((hour) => (
          <span key={hour} style={{ left: `${at(timeOn(day, `${hour}:00`)) / (width / 100)}%` }}>
            {String(hour).padStart(2, '0')}
          </span>
        ))}
      </div>
    </div>
  );
}
