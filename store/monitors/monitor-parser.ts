import { type TSchema, Type } from 'typebox';
import { parseRtspAddress, RtspAddressError } from '../../bus/base/rtsp-address.ts';
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import { compileValidator, type ValidationIssue } from '../base/validator.ts';
import type { DetectorSection } from '../detectors/detector-section.ts';
import { type MonitorConfig, monitorSchemas } from './monitor-config.ts';

/** Minutes, in place of 0, which SentryShot's files may contain without a meaning. */
const defaultVideoLength = 15;

/** Stands for what is not the source. */
const anyMonitor = { id: 'any', name: 'any', enable: true, alwaysRecord: false, videoLength: 1 };

type Check = (value: unknown) => ValidationIssue | undefined;

/** Validates monitors' configurations, with a section for each of these detectors. */
export class MonitorParser {
  /** Of a whole monitor. */
  readonly schema: TSchema;
  readonly #detectors: readonly DetectorSection[];
  readonly #checks: Readonly<Record<MonitorConfig['source'], Check>>;

  constructor(detectors: readonly DetectorSection[]) {
    const { rtsp, file, test } = monitorSchemas(detectors);
    this.schema = Type.Union([rtsp, file, test]);
    this.#detectors = detectors;
    this.#checks = {
      rtsp: compileValidator(rtsp),
      file: compileValidator(file),
      test: compileValidator(test),
    };
  }

  /**
   * Turns JSON into a monitor's configuration. SentryShot's other forms of sections are converted.
   *
   * @throws {StoreError} `invalid`, with the pointer of the first bad field.
   */
  parse(json: Json): MonitorConfig {
    if (!isObject(json)) throw new StoreError('invalid', 'expected an object', { pointer: '' });
    const config = this.#withCanonicalSections(json);
    const { source } = config;
    if (source !== 'rtsp' && source !== 'file' && source !== 'test') {
      throw new StoreError('invalid', 'expected "rtsp", "file" or "test"', { pointer: '/source' });
    }
    const flaw = this.#checks[source](config);
    if (flaw) throw new StoreError('invalid', `expected ${flaw.expected}`, { pointer: flaw.pointer });
    // Validated above; the only place where JSON becomes a configuration.
    const monitor = config as unknown as MonitorConfig;
    checkStream(monitor.sourcertsp?.mainStream, '/sourcertsp/mainStream');
    checkStream(monitor.sourcertsp?.subStream ?? undefined, '/sourcertsp/subStream');
    return monitor;
  }

  /** {@link parse} for a file, which may be SentryShot's own. */
  parseFile(json: Json): MonitorConfig {
    return this.parse(
      isObject(json) && json['videoLength'] === 0 ? { ...json, videoLength: defaultVideoLength } : json,
    );
  }

  /**
   * Reads a monitor of which only the source matters.
   *
   * @param complete puts passwords in place of their masks.
   * @throws {StoreError} `invalid`, with the pointer of the first bad field.
   */
  parseSource(json: Json, complete: (given: JsonObject) => Json): MonitorConfig {
    const { id, source, sourcertsp, sourcefile, sourcetest } = isObject(json) ? json : {};
    const sent = Object.entries({ id, source, sourcertsp, sourcefile, sourcetest });
    const given = Object.fromEntries(sent.filter((entry): entry is [string, Json] => entry[1] !== undefined));
    return this.parse({ ...anyMonitor, ...(complete(given) as JsonObject) });
  }

  #withCanonicalSections(json: JsonObject): JsonObject {
    const config = { ...json };
    for (const { name, canonical } of this.#detectors) {
      const section = config[name];
      if (isMissing(section)) delete config[name];
      else if (canonical && isObject(section)) config[name] = canonical(section);
    }
    return config;
  }
}

/** Stored files may ask for it in vain: they record the main stream all the same. */
export function checkSubStream({ recordSubStream, source, sourcertsp }: MonitorConfig): void {
  if (recordSubStream !== true || (source === 'rtsp' && sourcertsp.subStream)) return;
  throw new StoreError('invalid', 'expected false, because this monitor has no sub stream to record', {
    pointer: '/recordSubStream',
  });
}

/** The pipeline reads it in the same way. */
function checkStream(text: string | undefined, pointer: string): void {
  if (text === undefined) return;
  try {
    parseRtspAddress(text);
  } catch (error) {
    if (!(error instanceof RtspAddressError)) throw error;
    throw new StoreError('invalid', error.message, { pointer });
  }
}

/** SentryShot writes an empty section for a missing one. */
function isMissing(section: Json | undefined): section is null | undefined {
  return (
    section === undefined || section === null || (isObject(section) && Object.keys(section).length === 0)
  );
}
