import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { character, controls } from '../base/text-pattern.ts';
import type { DetectorSection, DetectorSettings } from '../detectors/detector-section.ts';
import { flag } from '../detectors/section-fields.ts';

/** Schema of a monitor's configuration. Unknown fields are kept unchanged. */

const streamText =
  'a URL rtsp://… or rtsps://… of at most 2048 characters; user name and password as they are, or with %40 for @, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for %';
/** `bus/base/rtsp-address.ts` reads it, and says what is wrong with it. */
const streamURL = Type.String({ maxLength: 2048, description: streamText });

const rtsp = Type.Object(
  {
    protocol: Type.Enum(['tcp', 'udp'], { description: '"tcp" or "udp"' }),
    mainStream: streamURL,
    subStream: Type.Optional(Type.Union([streamURL, Type.Null()], { description: streamText })),
    patience: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 300,
        description:
          'a number of seconds, 1 to 300: the longest wait for an answer of the camera or its first picture',
      }),
    ),
  },
  { description: 'an object of protocol, mainStream, subStream and patience' },
);
const file = Type.Object(
  {
    path: Type.String({
      maxLength: 512,
      pattern: `^(?!/)(?!(.*/)?\\.\\.(/|$))${character(`\\\\${controls}`)}+$`,
      description: 'a path below the media folder, without ".."',
    }),
    loop: flag('begin again at the end'),
  },
  { description: 'an object of path and loop' },
);
const test = Type.Object({}, { description: 'an object' });

export const MonitorID = Type.String({
  pattern: '^[A-Za-z0-9]{1,24}$',
  description: '1 to 24 letters and digits',
  // By this http/request/request-reader.ts knows what must be hidden from accounts that may see some monitors only.
  'x-names': 'monitor',
});

/** Labels of detectors, and how many days the recordings with such an event are kept. */
const eventDays = Type.Record(
  Type.String(),
  Type.Number({ exclusiveMinimum: 0, maximum: 36_500, description: 'a number of days above 0' }),
  { description: 'an object of labels, each with a number of days' },
);
const retention = Type.Object(
  {
    maxDays: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 36_500,
        description: 'a number of days above 0: older recordings are deleted',
      }),
    ),
    maxGigabytes: Type.Optional(
      Type.Number({
        minimum: 0.001,
        maximum: 1e9,
        description: 'a number of gigabytes, at least 0.001: past it the oldest recordings are deleted',
      }),
    ),
    minHours: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 8760,
        description: 'a number of hours, 0 to 8760: the newest recordings, kept even if the disk is full',
      }),
    ),
    events: Type.Optional(eventDays),
  },
  { description: 'an object of maxDays, maxGigabytes, minHours and events' },
);

const monitor = {
  id: MonitorID,
  name: Type.String({
    // Printable, and without the marks that change the direction of the surrounding text.
    pattern: `^(?=.*\\S)${character(`${controls}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069`)}{1,64}$`,
    description: '1 to 64 printable characters',
  }),
  enable: flag('run this monitor'),
  alwaysRecord: flag('record without waiting for an event'),
  recordSubStream: Type.Optional(flag('record the sub stream too, into files of its own')),
  videoLength: Type.Number({
    exclusiveMinimum: 0,
    maximum: 10_080,
    description: 'a number of minutes above 0, at most 10080',
  }),
  retention: Type.Optional(retention),
  machines: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 253, description: 'the name of a machine' }), {
      minItems: 1,
      maxItems: 8,
      description: 'a list of the machines of the cluster that reach the camera',
    }),
  ),
};

/** Sections of sources that are not in use may stay in the file; they are validated, too. */
const sources = {
  sourcertsp: Type.Optional(rtsp),
  sourcefile: Type.Optional(file),
  sourcetest: Type.Optional(test),
};

/** `source` selects the source section in use. */
const bySource = {
  rtsp: { ...sources, source: Type.Literal('rtsp'), sourcertsp: rtsp },
  file: { ...sources, source: Type.Literal('file'), sourcefile: file },
  test: { ...sources, source: Type.Literal('test'), sourcetest: test },
};

/** The part of a monitor that says where its pictures come from. The id is of the monitor whose passwords are meant. */
export const MonitorSource = Type.Union(
  Object.values(bySource).map((source) => Type.Object({ id: Type.Optional(MonitorID), ...source })),
);

/**
 * The body of `PUT /api/monitor`, and the stored form. Sections of detectors are not named here, because the list of
 * detectors is passed in: see {@link sectionOf}.
 */
export type MonitorConfig = StaticProperties<typeof monitor> &
  { [Source in keyof typeof bySource]: StaticProperties<(typeof bySource)[Source]> }[keyof typeof bySource];
type StaticProperties<Properties extends TProperties> = Static<TObject<Properties>>;

/** The schemas of {@link MonitorConfig} by source, with a section for each of these detectors. */
export function monitorSchemas(detectors: readonly DetectorSection[]) {
  const sections = Object.fromEntries(detectors.map(({ name, schema }) => [name, Type.Optional(schema)]));
  const withSections = (source: TProperties) => Type.Object({ ...monitor, ...sections, ...source });
  return {
    rtsp: withSections(bySource.rtsp),
    file: withSections(bySource.file),
    test: withSections(bySource.test),
  };
}

const usualMaxPatienceS = 60;

/** The longest that the recorder waits for an answer of the camera or its first picture, in milliseconds. */
export function maxPatienceMs({ sourcertsp }: MonitorConfig): number {
  return (sourcertsp?.patience ?? usualMaxPatienceS) * 1000;
}

/** A detector's section of a monitor. It fits its schema: that was checked when the monitor was read. */
export function sectionOf(monitor: MonitorConfig, detector: string): DetectorSettings | undefined {
  return (monitor as unknown as Readonly<Record<string, DetectorSettings | undefined>>)[detector];
}
