import { siteRecordingID } from '../../bus/recording-id.ts';
import type { RecordingFilter } from '../../store/log/catalogue/recording-catalogue.ts';
import type { LogStore } from '../../store/log/log-store.ts';
import type { RecordingArchive } from '../../store/recordings/recording-archive.ts';
import type { RouteAnswer } from '../request/route.ts';
import type { Site } from '../state/site.ts';
import type { SiteCatalogue, SiteRecording } from '../state/site-catalogue.ts';
import type { PeerRequests } from './peer-requests.ts';
import { askForMarks, askForProgress } from './peer-routes.ts';

export interface SiteListsOptions {
  readonly site: Site;
  readonly logs: Pick<LogStore, 'siteRecordings'>;
  readonly recordings: Pick<RecordingArchive, 'protectedOf'>;
  readonly peers: PeerRequests;
}

/** Lists what all machines have, from what is known here; the machines that are heard are asked for the marks beside the files, and whether their catalogues are complete. */
export class SiteLists implements SiteCatalogue {
  readonly #options: SiteListsOptions;

  constructor(options: SiteListsOptions) {
    this.#options = options;
  }

  heard(): readonly string[] {
    const { site } = this.#options;
    return site.machines.filter((machine) => machine === site.machine || site.isAlive(machine));
  }

  async list(filter: RecordingFilter): Promise<readonly SiteRecording[]> {
    const heard = this.heard();
    const found = await this.#options.logs.siteRecordings({ ...filter, heard });
    const machines = [...new Set(found.map(({ machine }) => machine))];
    const marks = new Map(
      await Promise.all(
        machines.map(async (machine) => {
          const ids = found.filter((one) => one.machine === machine).map(({ id }) => id);
          return [machine, heard.includes(machine) ? await this.#marksOf(machine, ids) : undefined] as const;
        }),
      ),
    );
    return found.map((one) => ({
      ...one,
      id: siteRecordingID(one.id, one.machine),
      away: !heard.includes(one.machine),
      protected: marks.get(one.machine)?.has(one.id) ?? null,
    }));
  }

  progress(monitors: readonly string[] | undefined): Promise<readonly RouteAnswer['headers'][]> {
    const { site, peers } = this.#options;
    const others = this.heard().filter((machine) => machine !== site.machine);
    return Promise.all(others.map((machine) => askForProgress(peers, machine, monitors)));
  }

  #marksOf(machine: string, ids: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    const { site, recordings, peers } = this.#options;
    return machine === site.machine ? recordings.protectedOf(ids) : askForMarks(peers, machine, ids);
  }
}
