import { batch, signal } from '@preact/signals';
import type { PublicEntry } from '../../../../store/log/read/log-filter.ts';
import { BackOff } from '../data/back-off.ts';
import { closeSocket } from '../data/close-socket.ts';
import { getJson, goToLogin, loginEnded, RequestFailure } from '../data/request.ts';
import { socketAddress } from '../data/sockets.ts';
import { type ChosenEntries, filterQuery, hasText } from './chosen-entries.ts';

const pageSize = 100;
/** Beyond it, the oldest entries are forgotten while new ones arrive; scrolling down loads them again. */
const maxEntries = 3000;
/** In place of a name, where there is one machine. */
const alone = '';

/** Entries that match a filter, newest first: those that arrive, and older ones page by page. */
export class LogView {
  readonly entries = signal<readonly PublicEntry[] | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  readonly isLive = signal(false);
  /** Whether there are no older entries. */
  readonly isComplete = signal(false);

  readonly #filter: ChosenEntries;
  readonly #aborter = new AbortController();
  readonly #backOff = new BackOff();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  /** Of each machine, the time of the newest entry that is known, whether it has the text or not. */
  readonly #newestUs = new Map<string, number>();
  /** The same of a machine of which none is known, or later; 0 if there was no entry at all. */
  #othersUs: number | undefined;

  constructor(filter: ChosenEntries) {
    this.#filter = filter;
    void this.#begin();
  }

  close(): void {
    this.#aborter.abort();
    clearTimeout(this.#timer);
    if (this.#socket) closeSocket(this.#socket);
  }

  /** Adds a page of older entries. */
  async loadOlder(): Promise<void> {
    if (this.#isLoading || this.isComplete.value) return;
    this.#isLoading = true;
    try {
      const query = filterQuery(this.#filter);
      if (this.#filter.text) query.set('text', this.#filter.text);
      query.set('limit', String(pageSize));
      const before = this.entries.value ?? [];
      const oldest = before.at(-1);
      const end = oldest?.time ?? this.#filter.until;
      if (end !== undefined) query.set('time', String(end));
      const page = await getJson<PublicEntry[]>(`/api/log/query?${query}`, this.#aborter.signal);
      batch(() => {
        this.entries.value = [...(this.entries.value ?? []), ...page];
        this.isComplete.value = page.length < pageSize;
        this.problem.value = undefined;
      });
    } catch (error) {
      if (this.#aborter.signal.aborted) return;
      if (!(error instanceof RequestFailure)) throw error;
      this.problem.value = error.message;
    } finally {
      this.#isLoading = false;
    }
  }

  async #begin(): Promise<void> {
    if (await this.#noteNewest()) await this.loadOlder();
    if (this.#aborter.signal.aborted) return;
    // What was long ago gets no new entries.
    if (this.entries.value && this.#filter.until === undefined) this.#follow();
    else if (!this.entries.value) this.#timer = setTimeout(() => void this.#begin(), this.#backOff.next());
  }

  /**
   * Where the feed begins, asked before the entries, so that none is missed between their page and the feed's connection. The
   * feed knows no text: what is found by one may be long ago, and all entries since would be sent.
   */
  async #noteNewest(): Promise<boolean> {
    if (!this.#filter.text || this.#filter.until !== undefined) return true;
    const query = filterQuery(this.#filter);
    query.set('limit', '1');
    try {
      const [newest] = await getJson<PublicEntry[]>(`/api/log/query?${query}`, this.#aborter.signal);
      this.#othersUs = newest?.time ?? 0;
      return true;
    } catch (error) {
      if (this.#aborter.signal.aborted) return false;
      if (!(error instanceof RequestFailure)) throw error;
      this.problem.value = error.message;
      return false;
    }
  }

  /** New entries from the newest one on, so that none is missed while there is no connection. */
  #follow(): void {
    const query = filterQuery(this.#filter);
    const loaded = this.entries.value ?? [];
    const shown = new Map<string, number>();
    for (const { machine = alone, time } of loaded)
      shown.set(machine, Math.max(time, shown.get(machine) ?? 0));
    if (!this.#filter.text) {
      for (const [machine, time] of shown)
        this.#newestUs.set(machine, Math.max(time, this.#newestUs.get(machine) ?? 0));
    }
    this.#othersUs ??= loaded.at(-1)?.time ?? 0;
    query.set('after', String(this.#newestUs.get(alone) ?? this.#othersUs));
    const positions = [...this.#newestUs].flatMap(([machine, time]) =>
      machine === alone ? [] : [`${time}@${machine}`],
    );
    if (positions.length > 0) query.set('positions', positions.join());
    const socket = new WebSocket(socketAddress(`/api/logs?${query}`));
    this.#socket = socket;
    socket.onopen = () => {
      this.#backOff.reset();
      this.isLive.value = true;
    };
    let gathered: PublicEntry[] = [];
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const entry = JSON.parse(data) as PublicEntry;
      const { machine = alone } = entry;
      this.#newestUs.set(machine, entry.time);
      if (entry.time <= (shown.get(machine) ?? 0) || !hasText(this.#filter, entry)) return;
      if (gathered.length === 0) {
        requestAnimationFrame(() => {
          const arrived = gathered.reverse();
          gathered = [];
          this.#add(arrived);
        });
      }
      gathered.push(entry);
    };
    socket.onclose = ({ code }) => {
      this.isLive.value = false;
      if (code === loginEnded) goToLogin();
      if (this.#aborter.signal.aborted) return;
      this.#timer = setTimeout(() => this.#follow(), this.#backOff.next());
    };
  }

  #add(arrived: readonly PublicEntry[]): void {
    const before = this.entries.value ?? [];
    const oldest = this.isComplete.value ? undefined : before.at(-1);
    // What a machine brings that was away may be older than what is shown; what is older than all of it comes with its page.
    const all = [...arrived.filter(({ time }) => time >= (oldest?.time ?? 0)), ...before];
    all.sort((a, b) => b.time - a.time);
    batch(() => {
      if (all.length > maxEntries) this.isComplete.value = false;
      this.entries.value = all.slice(0, maxEntries);
    });
  }
}
