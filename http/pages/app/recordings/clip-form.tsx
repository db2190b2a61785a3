import { useState } from 'preact/hooks';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import { clockOf, timeOn } from './day.ts';

interface ClipProps {
  readonly monitorID: string;
  readonly day: string;
  /** What the fields say at first. */
  readonly start: number;
  readonly end: number;
}

/** A part of the day as one file, across recordings. */
export function ClipForm({ monitorID, day, start, end }: ClipProps) {
  const [from, setFrom] = useState(clockOf(start));
  const [to, setTo] = useState(clockOf(end));
  const [begin, finish] = [timeOn(day, from), timeOn(day, to)];
  const isValid = begin < finish;
  return (
    <details class="clip">
      <summary>{say(recordingTexts.clip)}</summary>
      <div class="row">
        <label>
          {say(recordingTexts.from)}
          <input
            type="time"
            step="1"
            value={from}
            onInput={({ currentTarget: { value } }) => setFrom(value)}
          />
        </label>
        <label>
          {say(recordingTexts.to)}
          <input type="time" step="1" value={to} onInput={({ currentTarget: { value } }) => setTo(value)} />
        </label>
        {isValid ? (
          <a
            class="button primary"
            href={`/api/monitor/${monitorID}/clip.mp4?start=${begin}&end=${finish}`}
            download
          >
            {say(recordingTexts.downloadClip)}
          </a>
        ) : (
          <p class="bad" role="alert">
            {say(recordingTexts.clipOrder)}
          </p>
        )}
      </div>
    </details>
  );
}
