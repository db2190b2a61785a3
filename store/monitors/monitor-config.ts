import Type, { type Static } from 'typebox';

/** Schema of a monitor's configuration. Unknown fields are kept unchanged. */

const flag = (description: string) => Type.Boolean({ description: `true or false: ${description}` });

/** Coordinates are millionths of the frame's width or height. */
export const wholePicture = 1_000_000;
const coordinate = Type.Integer({
  minimum: 0,
  maximum: wholePicture,
  description: 'a whole number of millionths, 0 to 1000000',
});
const area = Type.Array(Type.Tuple([coordinate, coordinate]), {
  maxItems: 256,
  description: 'at most 256 points [x, y] in millionths of the width and height',
});
const percent = (what: string) =>
  Type.Number({ minimum: 0, maximum: 100, description: `${what}, 0 to 100 percent` });
const feedRate = Type.Number({
  minimum: 0,
  maximum: 100,
  description: 'a number of frames per second, 0 to 100 (0: every frame)',
});
const duration = Type.Number({
  minimum: 0,
  maximum: 86_400,
  description: 'a number of seconds, 0 to 86400',
});

export const MotionConfig = Type.Object(
  {
    enable: flag('detect motion'),
    feedRate,
    /** Seconds that a recording continues after an event. */
    duration,
    zones: Type.Array(
      Type.Object(
        {
          enable: flag('watch this zone'),
          /** The least change of a pixel that counts, in percent. */
          sensitivity: percent('a sensitivity'),
          /** Motion is detected if the changed part of the zone, in percent, is between these two. */
          thresholdMin: percent('a threshold'),
          thresholdMax: percent('a threshold'),
          area,
        },
        { description: 'a zone' },
      ),
      { maxItems: 64, description: 'at most 64 zones' },
    ),
  },
  { description: 'the settings of motion detection' },
);
export type MotionConfig = Static<typeof MotionConfig>;

export const TfliteConfig = Type.Object(
  {
    enable: flag('detect objects'),
    thresholds: Type.Record(
      Type.String({ pattern: '^[\\p{L}\\p{N} _-]{1,64}$' }),
      percent('the score from which on the label counts'),
      { additionalProperties: false, maxProperties: 256, description: 'a percentage for each label' },
    ),
    crop: Type.Object(
      {
        x: coordinate,
        y: coordinate,
        size: Type.Integer({
          minimum: 1,
          maximum: wholePicture,
          description: 'a whole number of millionths, 1 to 1000000',
        }),
      },
      { description: 'an object of x, y and size' },
    ),
    mask: Type.Object(
      {
        enable: flag('ignore objects whose centre is inside the area'),
        area,
      },
      { description: 'an object of enable and area' },
    ),
    detectorName: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'the name of a detector: 1 to 64 letters, digits, hyphens and underscores',
    }),
    feedRate,
    duration,
    useSubStream: flag('analyse the sub stream'),
    /** True if absent; has no effect without motion detection. */
    whileMotion: Type.Optional(flag('detect objects only while there is motion')),
  },
  { description: 'the settings of object detection' },
);
export type TfliteConfig = Static<typeof TfliteConfig>;

/** Settings of motion detection when it is enabled for the first time: one zone, the whole frame. */
export const defaultMotion: MotionConfig = {
  enable: true,
  feedRate: 2,
  duration: 120,
  zones: [
    {
      enable: true,
      sensitivity: 8,
      thresholdMin: 1,
      thresholdMax: 100,
      area: [
        [0, 0],
        [wholePicture, 0],
        [wholePicture, wholePicture],
        [0, wholePicture],
      ],
    },
  ],
};

/** Settings of object detection when it is enabled for the first time. */
export const defaultTflite: TfliteConfig = {
  enable: true,
  thresholds: { person: 45, car: 45, vehicle: 45, bicycle: 45, dog: 45, cat: 45 },
  crop: { x: 0, y: 0, size: wholePicture },
  mask: { enable: false, area: [] },
  detectorName: 'default',
  // An object is reported once it was detected in two of three frames: within 2 s, with time to spare.
  feedRate: 2,
  duration: 120,
  useSubStream: true,
};

const streamText = 'a URL rtsp://… or rtsps://… of at most 2048 characters';
const streamURL = Type.String({
  maxLength: 2048,
  // Whitespace, quotes and backslashes are not valid in a URL; refused here, they reach no other parser.
  pattern: '^rtsps?://[^\\s"\\\\\\p{Cc}\\p{Cs}]+$',
  description: streamText,
});

const rtsp = Type.Object(
  {
    protocol: Type.Enum(['tcp', 'udp'], { description: '"tcp" or "udp"' }),
    mainStream: streamURL,
    subStream: Type.Optional(Type.Union([streamURL, Type.Null()], { description: streamText })),
  },
  { description: 'an object of protocol, mainStream and subStream' },
);
const file = Type.Object(
  {
    path: Type.String({
      maxLength: 512,
      pattern: '^(?!/)(?!(.*/)?\\.\\.(/|$))[^\\\\\\p{Cc}\\p{Cs}]+$',
      description: 'a path below the media folder, without ".."',
    }),
    loop: flag('begin again at the end'),
  },
  { description: 'an object of path and loop' },
);
const test = Type.Object({}, { description: 'an object' });

const monitor = {
  id: Type.String({ pattern: '^[A-Za-z0-9]{1,24}$', description: '1 to 24 letters and digits' }),
  name: Type.String({
    // Printable, and without the marks that change the direction of the surrounding text.
    pattern: '^(?=.*\\S)[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u202a-\\u202e\\u2066-\\u2069]{1,64}$',
    description: '1 to 64 printable characters',
  }),
  enable: flag('run this monitor'),
  alwaysRecord: flag('record without waiting for an event'),
  videoLength: Type.Number({
    exclusiveMinimum: 0,
    maximum: 10_080,
    description: 'a number of minutes above 0, at most 10080',
  }),
  motion: Type.Optional(MotionConfig),
  tflite: Type.Optional(TfliteConfig),
};
/** Sections of sources that are not in use may stay in the file; they are validated, too. */
const sources = {
  sourcertsp: Type.Optional(rtsp),
  sourcefile: Type.Optional(file),
  sourcetest: Type.Optional(test),
};

export const RtspMonitor = Type.Object({
  ...monitor,
  ...sources,
  source: Type.Literal('rtsp'),
  sourcertsp: rtsp,
});
export const FileMonitor = Type.Object({
  ...monitor,
  ...sources,
  source: Type.Literal('file'),
  sourcefile: file,
});
export const TestMonitor = Type.Object({
  ...monitor,
  ...sources,
  source: Type.Literal('test'),
  sourcetest: test,
});

/** The body of `PUT /api/monitor`, and the stored form. `source` selects the source section in use. */
export const MonitorConfig = Type.Union([RtspMonitor, FileMonitor, TestMonitor]);
export type MonitorConfig = Static<typeof MonitorConfig>;
