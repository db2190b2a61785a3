import type { CatalogueEntry, RecordingFilter } from '../../store/log/catalogue/recording-catalogue.ts';

/** A recording of one of several machines. */
export interface SiteRecording extends CatalogueEntry {
  /** The machine that has it. */
  readonly machine: string;
  /** Whether that machine is not heard. */
  readonly away: boolean;
  /** Null while it is not known, because the machine does not answer. */
  readonly protected: boolean | null;
}

/** Of routes, where several machines are one system; nothing where there is one. */
export interface SiteServices {
  /** This machine's name. */
  readonly machine: string | undefined;
  readonly siteCatalogue: SiteCatalogue | undefined;
}

/** What is known here of all machines, where several are one system. */
export interface SiteCatalogue {
  /** The machines that are heard, this one among them. */
  heard(): readonly string[];
  /** The recordings that match, with ids that say their machines. @throws {StoreError} `io` */
  list(filter: RecordingFilter): Promise<readonly SiteRecording[]>;
  /**
   * What the other machines that are heard say of their catalogues: the headers of their answers.
   *
   * @param monitors all if left out.
   */
  progress(
    monitors: readonly string[] | undefined,
  ): Promise<readonly (Readonly<Record<string, string>> | undefined)[]>;
}
