import { isObject, type Json, type JsonObject } from '../base/json.ts';
import { StoreError } from '../base/store-error.ts';
import { compileValidator } from '../base/validator.ts';
import { FileMonitor, type MonitorConfig, RtspMonitor, TestMonitor } from './monitor-config.ts';

const checks = {
  rtsp: compileValidator(RtspMonitor),
  file: compileValidator(FileMonitor),
  test: compileValidator(TestMonitor),
} as const;

/** Minutes, in place of 0, which SentryShot's files may contain without a meaning. */
const defaultVideoLength = 15;

/**
 * Turns JSON into a monitor's configuration. SentryShot's other forms of areas and crops are converted.
 *
 * @throws {StoreError} `invalid`, with the pointer of the first bad field.
 */
export function parseMonitor(json: Json): MonitorConfig {
  if (!isObject(json)) throw new StoreError('invalid', 'expected an object', { pointer: '' });
  const config = withCanonicalSections(json);
  const { source } = config;
  if (source !== 'rtsp' && source !== 'file' && source !== 'test') {
    throw new StoreError('invalid', 'expected "rtsp", "file" or "test"', { pointer: '/source' });
  }
  const flaw = checks[source](config);
  if (flaw) throw new StoreError('invalid', `expected ${flaw.expected}`, { pointer: flaw.pointer });
  // Validated above; the only place where JSON becomes a configuration.
  const monitor = config as unknown as MonitorConfig;
  checkStream(monitor.sourcertsp?.mainStream, '/sourcertsp/mainStream');
  checkStream(monitor.sourcertsp?.subStream ?? undefined, '/sourcertsp/subStream');
  return monitor;
}

/** {@link parseMonitor} for a file, which may be SentryShot's own. */
export function parseMonitorFile(json: Json): MonitorConfig {
  return parseMonitor(
    isObject(json) && json['videoLength'] === 0 ? { ...json, videoLength: defaultVideoLength } : json,
  );
}

function checkStream(text: string | undefined, pointer: string): void {
  if (text === undefined) return;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new StoreError('invalid', 'expected a URL; write %23, %2F, %3F and %40 for # / ? @ in a password', {
      pointer,
    });
  }
  if (url.hostname === '') throw new StoreError('invalid', 'expected a URL with a host', { pointer });
  // An unescaped # in a password would make the rest of the URL, password and host, a fragment.
  if (url.hash !== '') throw new StoreError('invalid', 'expected a URL without #; write %23', { pointer });
}

function withCanonicalSections(json: JsonObject): JsonObject {
  const { motion, tflite, ...rest } = json;
  return {
    ...rest,
    ...(isMissing(motion) ? {} : { motion: canonicalMotion(motion) }),
    ...(isMissing(tflite) ? {} : { tflite: canonicalTflite(tflite) }),
  };
}

/** SentryShot writes an empty section for a missing one. */
function isMissing(section: Json | undefined): section is null | undefined {
  return (
    section === undefined || section === null || (isObject(section) && Object.keys(section).length === 0)
  );
}

function canonicalMotion(motion: Json): Json {
  if (!isObject(motion) || !Array.isArray(motion['zones'])) return motion;
  return { ...motion, zones: motion['zones'].map(withCanonicalArea) };
}

function canonicalTflite(tflite: Json): Json {
  if (!isObject(tflite)) return tflite;
  const { mask, crop } = tflite;
  return {
    ...tflite,
    ...(mask === undefined ? {} : { mask: withCanonicalArea(mask) }),
    ...(Array.isArray(crop) && crop.length === 3 ? { crop: cropOf(crop) } : {}),
  };
}

function cropOf(crop: Json[]): Json {
  const [x = null, y = null, size = null] = crop;
  return { x, y, size };
}

/** Points may be written `[x, y]` or `{x, y}`. */
function withCanonicalArea(json: Json): Json {
  if (!isObject(json) || !Array.isArray(json['area'])) return json;
  const area = json['area'].map((point) => {
    if (!isObject(point)) return point;
    const { x = null, y = null } = point;
    return [x, y];
  });
  return { ...json, area };
}
