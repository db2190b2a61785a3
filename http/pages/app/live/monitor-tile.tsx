import { useEffect, useRef, useState } from 'preact/hooks';
import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { Icon } from '../shell/icons.tsx';
import { liveTexts } from '../texts/live-texts.ts';
import { say } from '../texts/say.ts';
import { DetectionOverlay } from './detection-overlay.tsx';
import { showDetections } from './tile-layout.ts';
import { tileWords } from './tile-words.ts';
import { usePlayer } from './use-player.ts';

interface TileProps {
  readonly monitor: MonitorSummary;
  /** Where a click on the picture leads. */
  readonly link: string;
  readonly linkTitle: string;
}

/** The live picture of one monitor, with its name, its state and its controls. */
export function MonitorTile({ monitor, link, linkTitle }: TileProps) {
  const tile = useRef<HTMLElement>(null);
  const { video, player } = usePlayer(monitor.id);
  const words = player && tileWords(player, monitor);
  const state = player?.absence.value === undefined ? player?.state.value : undefined;
  return (
    <article class="tile" ref={tile} data-monitor={monitor.id} data-mood={words?.mood ?? 'playing'}>
      <video ref={video} muted playsInline aria-label={monitor.name} />
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
        {(state ?? monitor).recording && (
          <span class="rec" title={say(liveTexts.recording)}>
            {say(liveTexts.rec)}
          </span>
        )}
      </header>
      {(!words || words.mood === 'busy') && (
        <div class="tile-controls">
          <FullScreen element={() => tile.current} video={() => video.current} />
        </div>
      )}
    </article>
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
