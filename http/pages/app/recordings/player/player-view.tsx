import { type ReadonlySignal, type Signal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../../shell/icons.tsx';
import { recordingTexts } from '../../texts/recording-texts.ts';
import { say } from '../../texts/say.ts';
import { shellTexts } from '../../texts/shell-texts.ts';
import { clock, dayName, preciseClock } from '../../texts/times.ts';
import { speeds, WallPlayer } from './wall-player.ts';

interface PlayerProps {
  readonly monitors: readonly { readonly id: string; readonly name: string }[];
  /** Where to begin, and each time that somebody chooses another time. */
  readonly from: number;
  /** The time on the screen. */
  readonly time: Signal<number | undefined>;
  /** To the next occurrence or the one before. @returns why not, as a sentence, if it went nowhere. */
  jump(direction: 1 | -1): Promise<string | undefined>;
  /** Marks where a clip begins or ends. */
  mark(edge: 'start' | 'end'): void;
}

/** Plays what monitors recorded, all at the same time. */
export function PlayerView({ monitors, from, time, jump, mark }: PlayerProps) {
  const [player, setPlayer] = useState<WallPlayer>();
  useEffect(() => {
    time.value = from;
    const made = new WallPlayer(time);
    setPlayer(made);
    made.play();
    return () => {
      made.close();
      time.value = undefined;
    };
  }, [time]);
  useEffect(() => {
    player?.seek(from);
    player?.play();
  }, [player, from]);
  const [nowhere, setNowhere] = useState<string>();
  const toEvent = useRef<(direction: 1 | -1) => void>(() => {});
  toEvent.current = (direction) => void jump(direction).then(setNowhere);
  useEffect(() => {
    if (!player) return;
    const keys: Readonly<Record<string, () => void>> = {
      ',': () => player.step(-1),
      '.': () => player.step(1),
      p: () => toEvent.current(-1),
      n: () => toEvent.current(1),
      k: () => (player.isPlaying.value ? player.pause() : player.play()),
    };
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // Where keys are letters or choose something, they are not ours.
      if (
        event.target instanceof Element &&
        event.target.matches('input:not([type="radio"]), select, textarea')
      )
        return;
      keys[event.key]?.();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [player]);
  return (
    <div class="player">
      <div class="player-pictures" data-count={monitors.length}>
        {player && monitors.map((monitor) => <Picture key={monitor.id} player={player} monitor={monitor} />)}
      </div>
      {player && (
        <>
          <Clock time={time} />
          <Controls
            player={player}
            toEvent={(direction) => toEvent.current(direction)}
            nowhere={nowhere}
            mark={mark}
          />
          <Words player={player} />
        </>
      )}
    </div>
  );
}

interface PictureProps {
  readonly player: WallPlayer;
  readonly monitor: { readonly id: string; readonly name: string };
}

function Picture({ player, monitor: { id, name } }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current ? player.add(id, video.current) : undefined), [player, id]);
  const playback = player.playbacks.value.find(({ monitorID }) => monitorID === id);
  const unplayable = playback?.unplayable.value;
  const isAbsent = player.absent.value.has(id);
  const away = isAbsent ? playback?.index.awayAt(player.time.peek() ?? 0) : undefined;
  const file = unplayable === undefined ? undefined : playback?.index.fileAt(player.time.peek() ?? 0);
  return (
    <figure class="player-picture" data-monitor={id}>
      <video ref={video} muted playsInline aria-label={name} />
      <figcaption>{name}</figcaption>
      {unplayable !== undefined ? (
        <Cover>
          <p>{say(recordingTexts.unplayable, { codec: unplayable })}</p>
          {file && (
            <a class="button" href={`/api/recording/${file.id}/video.mp4`} download>
              {say(recordingTexts.download)}
            </a>
          )}
        </Cover>
      ) : (
        isAbsent && (
          <Cover>
            <p>
              {away === undefined
                ? say(recordingTexts.notAtThisTime)
                : say(recordingTexts.away, { machine: away })}
            </p>
          </Cover>
        )
      )}
    </figure>
  );
}

function Cover({ children }: { readonly children: ComponentChildren }) {
  return <div class="player-cover">{children}</div>;
}

function Clock({ time }: { readonly time: ReadonlySignal<number | undefined> }) {
  const text = useRef<HTMLTimeElement>(null);
  // Twenty times a second: without Preact.
  useSignalEffect(() => {
    const now = time.value;
    if (!text.current || now === undefined) return;
    text.current.dateTime = new Date(now / 1000).toISOString();
    text.current.textContent = `${dayName(now)}, ${preciseClock(now)}`;
  });
  return <time class="player-clock" ref={text} />;
}

interface ControlsProps extends Pick<PlayerProps, 'mark'> {
  readonly player: WallPlayer;
  toEvent(direction: 1 | -1): void;
  /** Why the last step to an event led nowhere. */
  readonly nowhere: string | undefined;
}

function Controls({ player, toEvent, nowhere, mark }: ControlsProps) {
  const isPlaying = player.isPlaying.value;
  return (
    <div class="player-controls row">
      <Control icon="eventBack" shortcut="p" text={say(recordingTexts.eventBefore)} act={() => toEvent(-1)} />
      <Control
        icon="stepBack"
        shortcut=","
        text={say(recordingTexts.frameBefore)}
        act={() => player.step(-1)}
      />
      <Control
        icon={isPlaying ? 'pause' : 'play'}
        shortcut="k"
        text={say(isPlaying ? recordingTexts.pause : recordingTexts.play)}
        act={() => (isPlaying ? player.pause() : player.play())}
      />
      <Control
        icon="stepForward"
        shortcut="."
        text={say(recordingTexts.frameAfter)}
        act={() => player.step(1)}
      />
      <Control
        icon="eventForward"
        shortcut="n"
        text={say(recordingTexts.eventAfter)}
        act={() => toEvent(1)}
      />
      <fieldset class="segments">
        <legend class="hidden">{say(recordingTexts.speed)}</legend>
        {speeds.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="speed"
              checked={player.speed.value === one}
              onChange={() => {
                player.speed.value = one;
              }}
            />
            <span>{one === 0.5 ? '½' : one}×</span>
          </label>
        ))}
      </fieldset>
      <Control
        icon={player.hasSound.value ? 'sound' : 'muted'}
        text={say(player.hasSound.value ? recordingTexts.soundOff : recordingTexts.soundOn)}
        act={() => {
          player.hasSound.value = !player.hasSound.value;
        }}
      />
      <button type="button" onClick={() => mark('start')}>
        {say(recordingTexts.markStart)}
      </button>
      <button type="button" onClick={() => mark('end')}>
        {say(recordingTexts.markEnd)}
      </button>
      {nowhere && (
        <span class="quiet" role="status">
          {nowhere}
        </span>
      )}
    </div>
  );
}

interface ControlProps {
  readonly icon: Parameters<typeof Icon>[0]['name'];
  readonly text: string;
  /** A key that does the same. */
  readonly shortcut?: string;
  act(): void;
}

function Control({ icon, text, shortcut, act }: ControlProps) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={text}
      title={shortcut ? `${text} (${shortcut})` : text}
      aria-keyshortcuts={shortcut}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

/** What the player does that is not to be seen. */
function Words({ player }: { readonly player: WallPlayer }) {
  const skipped = player.skipped.value;
  const problem = player.problem.value;
  return (
    <>
      <p class="player-words quiet" role="status">
        {player.isAtEnd.value && say(recordingTexts.atEnd)}
        {player.isWaitingLong.value && say(shellTexts.loading)}
        {!player.isAtEnd.value &&
          !player.isWaitingLong.value &&
          skipped &&
          say(skipped.away === undefined ? recordingTexts.skipped : recordingTexts.skippedAway, {
            machine: skipped.away ?? '',
            from: `${dayName(skipped.start)}, ${clock(skipped.start)}`,
            to: `${dayName(skipped.end)}, ${clock(skipped.end)}`,
          })}
      </p>
      {problem && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
