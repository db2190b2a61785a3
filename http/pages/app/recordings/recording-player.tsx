import { useEffect, useRef, useState } from 'preact/hooks';
import { recordingTexts } from '../texts/recording-texts.ts';
import { say } from '../texts/say.ts';
import type { RecordedFile } from './recorded-day.ts';

const speeds = [0.5, 1, 2, 4, 8, 16];

interface PlayerProps {
  readonly file: RecordedFile;
  /** Where to begin: a Unix time in microseconds. */
  readonly from: number;
  /** The time on the screen. */
  onTime(time: number): void;
  onEnd(): void;
}

/** Plays one file of a monitor; the browser fetches it in ranges. */
export function RecordingPlayer({ file, from, onTime, onEnd }: PlayerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [speed, setSpeed] = useState(1);
  const [failed, setFailed] = useState(false);
  const offset = Math.max(0, (from - file.start) / 1e6);
  useEffect(() => {
    setFailed(false);
    const element = video.current;
    if (!element) return;
    if (element.readyState > 0) element.currentTime = offset;
    element.play().catch(() => {});
  }, [file.id, offset]);
  useEffect(() => {
    if (video.current) video.current.playbackRate = speed;
  }, [speed, file.id]);
  return (
    <div class="player">
      {/* biome-ignore lint/a11y/useMediaCaption: a camera's recording has no captions */}
      <video
        key={file.id}
        ref={video}
        src={`/api/recording/${file.id}/video.mp4`}
        controls
        playsInline
        onLoadedMetadata={({ currentTarget }) => {
          currentTarget.playbackRate = speed;
          if (offset > 0) currentTarget.currentTime = offset;
        }}
        onTimeUpdate={({ currentTarget }) => onTime(file.start + currentTarget.currentTime * 1e6)}
        onEnded={onEnd}
        onError={() => setFailed(true)}
      />
      {failed && (
        <p class="banner" role="alert">
          {say(recordingTexts.unplayable, { codec: file.video?.codec ?? '?' })}
        </p>
      )}
      <div class="row">
        <fieldset class="segments">
          <legend class="hidden">{say(recordingTexts.speed)}</legend>
          {speeds.map((one) => (
            <label key={one}>
              <input type="radio" name="speed" checked={speed === one} onChange={() => setSpeed(one)} />
              <span>{one === 0.5 ? '½' : one}×</span>
            </label>
          ))}
        </fieldset>
        <a class="button" href={`/api/recording/${file.id}/video.mp4`} download>
          {say(recordingTexts.download)}
        </a>
      </div>
    </div>
  );
}
