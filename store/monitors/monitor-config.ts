import Type, { type Static } from 'typebox';

/** The shape of a monitor's configuration. Fields that are not named here are kept as they came. */

const flag = (description: string) => Type.Boolean({ description: `true or false: ${description}` });

/** A million is the whole width or height of the picture. */
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
  description: 'a number of pictures a second, 0 to 100 (0: every picture)',
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
    /** How long a recording goes on after an event. */
    duration,
    zones: Type.Array(
      Type.Object(
        {
          enable: flag('watch this zone'),
          /** How much a pixel must change to count. */
          sensitivity: percent('a sensitivity'),
          /** Motion is when more than this part of the zone changes, and less than the maximum. */
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
    useSubStream: flag('look at the sub stream'),
    /** Where motion is detected as well. It is so unless it says otherwise. */
    whileMotion: Type.Optional(flag('look for objects only while there is motion')),
  },
  { description: 'the settings of object detection' },
);
export type TfliteConfig = Static<typeof TfliteConfig>;

/** What enabling motion detection begins with where there was no such section: the whole picture. */
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

/** What enabling object detection begins with where there was no such section. */
export const defaultTflite: TfliteConfig = {
  enable: true,
  thresholds: { person: 45, car: 45, vehicle: 45, bicycle: 45, dog: 45, cat: 45 },
  crop: { x: 0, y: 0, size: wholePicture },
  mask: { enable: false, area: [] },
  detectorName: 'default',
  // What is seen in two pictures of three is told of: within two seconds, with time to spare.
  feedRate: 2,
  duration: 120,
  useSubStream: true,
};

const streamText = 'a URL rtsp://… or rtsps://… of at most 2048 characters';
const streamURL = Type.String({
  maxLength: 2048,
  // Whitespace, quotes and backslashes have no place in a URL; whatever reads one later need not wonder.
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
    // Printable, and without the marks that turn the direction of the text around them.
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
/** A source that is not in use now may stay in the file; it is checked all the same. */
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

/** The body of `PUT /api/monitor`, and what is stored. `source` tells which of the source sections counts. */
export const MonitorConfig = Type.Union([RtspMonitor, FileMonitor, TestMonitor]);
export type MonitorConfig = Static<typeof MonitorConfig>;
