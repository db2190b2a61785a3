import type { MonitorSummary } from '../../../state/monitor-summary.ts';
import { translated } from '../data/recorder-sentences.ts';
import { liveTexts } from '../texts/live-texts.ts';
import { say } from '../texts/say.ts';
import { shortTime } from '../texts/times.ts';
import type { Absence } from './stream/live-connection.ts';
import type { LivePlayer } from './stream/live-player.ts';

export interface TileWords {
  /** `busy`: it is being worked on; `still`: nothing will change by itself. */
  readonly mood: 'busy' | 'offline' | 'still';
  readonly title: string;
  readonly reason: string;
}

const absences: Readonly<Record<Absence, TileWords['mood']>> = {
  opening: 'busy',
  lost: 'busy',
  crowded: 'busy',
  refused: 'still',
  deleted: 'still',
};

/** What a tile says instead of, or over, a moving picture; undefined if it plays. */
export function tileWords(player: LivePlayer, listed: MonitorSummary): TileWords | undefined {
  const unplayable = player.unplayable.value;
  if (unplayable === 'no media source') return still(say(liveTexts.noMediaSource));
  if (unplayable) return still(say(liveTexts.unplayable, unplayable));
  const absence = player.absence.value;
  const state = player.state.value ?? listed;
  // Without a connection, what the list says is newer than what the connection said.
  const { state: name, reason: said, since } = absence === undefined ? state : listed;
  const reason = translated(said);
  if (absence !== undefined && (name === 'streaming' || absences[absence] === 'still')) {
    return { mood: absences[absence], title: absenceTitle(absence), reason: '' };
  }
  if (player.playing.value && absence === undefined) return undefined;
  switch (name) {
    case 'streaming':
      return { mood: 'busy', title: say(liveTexts.stateStreaming), reason };
    case 'connecting':
      return { mood: 'busy', title: say(liveTexts.stateConnecting), reason };
    case 'waiting': {
      const time = since === null ? undefined : shortTime(since);
      const title = time ? say(liveTexts.stateWaiting, { time }) : say(liveTexts.stateOffline);
      return { mood: 'offline', title, reason };
    }
    case 'disabled':
      return still(say(liveTexts.stateDisabled), reason);
    case 'stopping':
      return { mood: 'busy', title: say(liveTexts.stateStopping), reason };
    case 'stopped':
      return still(say(liveTexts.stateStopped), reason);
  }
}

function still(title: string, reason = ''): TileWords {
  return { mood: 'still', title, reason };
}

function absenceTitle(absence: Absence): string {
  switch (absence) {
    case 'opening':
      return say(liveTexts.opening);
    case 'lost':
      return say(liveTexts.reconnecting);
    case 'crowded':
      return say(liveTexts.tooMany);
    case 'refused':
      return say(liveTexts.notAllowed);
    case 'deleted':
      return say(liveTexts.deleted);
  }
}
