import type { TObject } from 'typebox';
import type { Json, JsonObject } from '../base/json.ts';

/** The fields of every detector's settings. */
export interface DetectorSettings {
  readonly enable: boolean;
}

/** A kind of detector, as configuration and API know it: they follow from the list of these alone. */
export interface DetectorSection<Settings extends DetectorSettings = DetectorSettings> {
  /**
   * 1 to 24 lower-case letters and digits: names its `[[plugin]]`, its section of a monitor's configuration, and the
   * source of its events and log entries.
   */
  readonly name: string;
  /** For people: `Motion detection`. */
  readonly title: string;
  /** Other names of its plugin, in other versions of SentryShot. */
  readonly aliases?: readonly string[];
  readonly schema: TObject;
  /** The section that is created when the detector is enabled and the monitor has none. */
  readonly defaults: Settings;
  /** Turns other ways to write a section, SentryShot's for example, into the one of the schema. It is checked later. */
  canonical?(section: JsonObject): Json;
}
