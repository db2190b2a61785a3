import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { translated } from '../data/recorder-sentences.ts';
import { Icon } from '../shell/icons.tsx';
import { liveTexts } from '../texts/live-texts.ts';
import { say } from '../texts/say.ts';
import { DetectionOverlay } from './detection-overlay.tsx';
import type { LivePlayer } from './stream/live-player.ts';
import { showDetections, showZones } from './tile-layout.ts';
import { tileWords } from './tile-words.ts';
import { usePlayer } from './use-player.ts';
import { ZoneOverlay } from './zone-overlay.tsx';

interface TileProps {
  readonly monitor: MonitorSummary;
  /** Where a click on the picture leads. */
  readonly link: string;
  readonly linkTitle: string;
}

/** The live picture of one monitor, with its name, its state and its controls. */
export function MonitorTile({ monitor, link, linkTitle }: TileProps) {
  const tile = useRef<HTMLElement>(null);
  const { place, player } = usePlayer(monitor.id, monitor.name);
  const words = player && tileWords(player, monitor);
  const state = player?.absence.value === undefined ? player?.state.value : undefined;
  return (
    <article class="tile" ref={tile} data-monitor={monitor.id} data-mood={words?.mood ?? 'playing'}>
      <div class="boxless" ref={place} />
      {player && showZones.value === 'on' && <ZoneOverlay player={player} />}
      {player && showDetections.value === 'on' && <DetectionOverlay player={player} />}
      <a class="tile-link" href={link} data-page title={linkTitle}>
        <span class="hidden">{linkTitle}</span>
      </a>
      {words && (
        <div class="tile-words" role="status">
          {words.mood === 'busy' && <span class="spinner" aria-hidden="true" />}
          <p class="tile-title">{words.title}</p>
          {words.reason !== '' && <p class="tile-reason">{words.reason}</p>}
        </div>
      )}
      <header class="tile-head">
        <h2>{monitor.name}</h2>
        {monitor.machine && (
          <span class="tile-machine" title={say(liveTexts.recordedBy, { machine: monitor.machine })}>
            <span aria-hidden="true">{monitor.machine}</span>
            <span class="hidden">{say(liveTexts.recordedBy, { machine: monitor.machine })}</span>
          </span>
        )}
        {(state ?? monitor).recording && (
          <span class="rec" title={say(liveTexts.recording)}>
            {say(liveTexts.rec)}
          </span>
        )}
      </header>
      {!words && state && state.reason !== '' && <p class="tile-fault">{translated(state.reason)}</p>}
      {(!words || words.mood === 'busy') && (
        <div class="tile-controls">
          {player && <Sound id={monitor.id} player={player} />}
          <FullScreen element={() => tile.current} video={() => player?.video ?? null} />
        </div>
      )}
    </article>
  );
}

/** The monitor that is heard: one at a time. */
const heard = signal<string | undefined>(undefined);

function Sound({ id, player }: { readonly id: string; readonly player: LivePlayer }) {
  const isHeard = heard.value === id;
  useEffect(() => player.listen(isHeard), [player, isHeard]);
  const isMute = player.isMute.value;
  const text = say(isMute ? liveTexts.noSound : isHeard ? liveTexts.soundOff : liveTexts.soundOn);
  return (
    <>
      {isMute && (
        <span class="tile-said" role="status">
          {text}
        </span>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={text}
        title={text}
        aria-pressed={isHeard}
        onClick={() => {
          heard.value = isHeard ? undefined : id;
        }}
      >
        <Icon name={isHeard && !isMute ? 'sound' : 'muted'} />
      </button>
    </>
  );
}

/** iPhones let a video alone fill the screen. */
interface PhoneVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}

interface FullScreenProps {
  element(): HTMLElement | null;
  video(): PhoneVideo | null;
}

function FullScreen({ element, video }: FullScreenProps) {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const look = () => setFull(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', look);
    return () => document.removeEventListener('fullscreenchange', look);
  }, []);
  const text = say(full ? liveTexts.leaveFullScreen : liveTexts.fullScreen);
  const toggle = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (document.fullscreenEnabled)
      element()
        ?.requestFullscreen()
        .catch(() => {});
    else video()?.webkitEnterFullscreen?.();
  };
  return (
    <button type="button" class="icon-button" aria-label={text} title={text} onClick={toggle}>
      <Icon name={full ? 'leaveFullScreen' : 'fullScreen'} />
    </button>
  );
}
