import { createHash } from 'node:crypto';
import fresh from 'fresh';
import { nowUs } from '../../bus/base/time.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';
import { checkParts, maxParts } from '../../store/recordings/playback/footage.ts';
import { joinPlaylists } from '../../store/recordings/playback/joined-playlist.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import { HttpError } from '../request/http-error.ts';
import type { Route, RouteAnswer, RouteCall } from '../request/route.ts';
import { joinIncomplete } from '../state/incomplete-catalogue.ts';
import type { Site } from '../state/site.ts';
import { bytesOf } from './answer-bytes.ts';
import { footagePreferences } from './footage/footage-preferences.ts';
import { type MachineFootage, shownFootage } from './footage/shown-footage.ts';
import { awayError, type PeerRequests } from './peer-requests.ts';
import { askForProgress } from './peer-routes.ts';
import { type KnownRecording, SiteClip } from './site-clip.ts';

export interface SiteFootageOptions {
  readonly site: Site;
  readonly monitors: Pick<Monitors, 'get'>;
  readonly logs: Pick<LogStore, 'siteRecordings' | 'siteTenures'>;
  readonly recordings: Pick<RecordingArchive, 'footage' | 'openMedia'>;
  readonly peers: PeerRequests;
  /** Asks another machine. */
  readonly ask: (machine: string, row: Route, call: RouteCall, url: string) => Promise<RouteAnswer>;
}

interface ShownFootage {
  readonly shown: readonly MachineFootage[];
  readonly recorded: readonly KnownRecording[];
}

interface Asked {
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** Answers about a span of a monitor's footage, whichever machines have it. */
export class SiteFootage {
  readonly #options: SiteFootageOptions;
  readonly #clips: SiteClip;

  constructor(options: SiteFootageOptions) {
    this.#options = options;
    this.#clips = new SiteClip(options);
  }

  /** @throws {HttpError} `conflict` if the span has footage of a machine that is away, and of others. */
  async clip(row: Route, call: RouteCall, url: string): Promise<RouteAnswer> {
    const asked = askedIn(call);
    const { shown, recorded } = await this.#shown(asked);
    const [first, ...others] = shown;
    if (others.length === 0) return this.#answerOf(first?.machine, row, call, url);
    const away = shown.find(({ machine }) => !this.#isHere(machine));
    if (!away && row.across) {
      const find = () => this.#clips.source(asked.id, recorded, shown, call.signal);
      const [answer, theirs] = await Promise.all([row.across(call, find), this.#progressOf(asked.id, shown)]);
      return { ...answer, headers: { ...answer.headers, ...joinIncomplete([answer.headers, ...theirs]) } };
    }
    const changes = others.map(({ start }) => start);
    const text = `${away?.machine} is away, and has a part of this. Another machine begins at ${changes.join(', ')}.`;
    throw new HttpError('conflict', text, { pointer: '/end', members: { changes } });
  }

  /** @throws {HttpError} `unavailable` if only machines have footage that are not there. */
  async playlist(row: Route, call: RouteCall, url: string): Promise<RouteAnswer> {
    const { shown } = await this.#shown(askedIn(call));
    if (shown.length < 2) return this.#answerOf(shown[0]?.machine, row, call, url);
    const parts = await Promise.all(shown.map((part) => this.#part(part, row, call, url)));
    const texts = parts.flatMap(({ text }) => (text === undefined ? [] : [text]));
    const away = [...new Set(parts.flatMap((part) => (part.away === undefined ? [] : [part.away])))];
    if (texts.length === 0) {
      if (away.length > 0) throw awayError(away.join(', '));
      throw new HttpError('not_found', 'Nothing was recorded in this time.');
    }
    const playlist = joinPlaylists(texts);
    const headers = {
      'Cache-Control': 'private, no-cache',
      ETag: `"${createHash('sha256').update(playlist).digest('base64url').slice(0, 22)}"`,
      ...(away.length > 0 && { 'X-Footage-Away': away.join(', ') }),
      ...joinIncomplete(parts.map((part) => part.headers)),
    };
    if (fresh(call.headers, { etag: headers.ETag })) return { status: 304, headers };
    return { type: 'application/vnd.apple.mpegurl', headers, body: playlist };
  }

  /** What the other ones of these machines say of their catalogues: a clip may be made already, and ask for nothing. */
  async #progressOf(id: string, shown: readonly MachineFootage[]) {
    const { peers, site } = this.#options;
    const machines = new Set(shown.map(({ machine }) => machine));
    machines.delete(site.machine);
    return Promise.all([...machines].map((machine) => askForProgress(peers, machine, [id])));
  }

  /** This machine is, also while it leaves the others. */
  #isHere(machine: string): boolean {
    const { site } = this.#options;
    return machine === site.machine || site.isAlive(machine);
  }

  /** See {@link footagePreferences}; what cannot be played now only where nothing else is. */
  async #shown({ id, start, end }: Asked): Promise<ShownFootage> {
    const { site, logs, monitors } = this.#options;
    const now = nowUs();
    const heard = site.machines.filter((machine) => this.#isHere(machine));
    const [found, tenures] = await Promise.all([
      logs.siteRecordings({
        ...{ monitors: [id], stream: 'main', start, end, limit: maxParts + 1, oldestFirst: true, heard },
      }),
      logs.siteTenures({ monitorID: id, start, end }),
    ]);
    checkParts(found.length);
    const recorded = found.map((one) => ({
      ...{ id: one.id, machine: one.machine, start: one.start, end: one.end ?? now },
    }));
    const owner = site.distant(id)?.machine ?? (monitors.get(id)?.enable ? site.machine : undefined);
    const machines = [...new Set(recorded.map(({ machine }) => machine))].map((machine) => ({
      ...{ machine, isHeard: heard.includes(machine), isOwner: machine === owner },
    }));
    const preferences = footagePreferences(machines, tenures);
    return { shown: shownFootage(recorded, preferences, { start, end }), recorded };
  }

  async #answerOf(
    machine: string | undefined,
    row: Route,
    call: RouteCall,
    url: string,
  ): Promise<RouteAnswer> {
    if (machine === undefined || machine === this.#options.site.machine) return row.handle(call);
    return this.#options.ask(machine, row, call, url);
  }

  /** The playlist of a part; none if there is nothing in it, or if its machine is away. */
  async #part(
    { machine, start, end }: MachineFootage,
    row: Route,
    { headers: _, ...call }: RouteCall,
    url: string,
  ): Promise<Pick<RouteAnswer, 'headers'> & { readonly text?: string; readonly away?: string }> {
    const [path = '', search] = url.split('?', 2);
    const parameters = new URLSearchParams(search);
    parameters.set('start', String(start));
    parameters.set('end', String(end));
    const query = { ...(call.query as object), start, end };
    try {
      const answer = await this.#answerOf(
        ...([machine, row, { ...call, query, headers: {} }, `${path}?${parameters}`] as const),
      );
      const { status = 200, headers = {} } = answer;
      if (status === 200) return { text: (await bytesOf(answer)).toString(), headers };
      await bytesOf(answer);
    } catch (error) {
      const { code } = error instanceof HttpError ? error : {};
      if (code === 'unavailable') return { away: machine };
      if (code !== 'not_found') throw error;
    }
    return {};
  }
}

const askedIn = ({ params, query }: RouteCall): Asked => ({
  ...(params as Pick<Asked, 'id'>),
  ...(query as Pick<Asked, 'start' | 'end'>),
});
