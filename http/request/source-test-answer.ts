import { type Static, type TSchema, Type } from 'typebox';

const nullable = <T extends TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });

const Stream = Type.Object({
  tracks: Type.Array(
    Type.Object({
      kind: Type.String({ description: '`video`, `audio`, `application` (metadata), …' }),
      codec: Type.String({ description: '`H264`, `H265`, `JPEG`, `AAC`, `PCMA`, …' }),
      clockRate: Type.Integer({
        description: 'Ticks per second of its timestamps; of most audio, the sample rate',
      }),
      channels: nullable(Type.Integer(), 'Of audio'),
    }),
    { description: 'All that a camera announces; none of a file or the test picture' },
  ),
  video: Type.Object({
    codec: Type.Enum(['h264', 'h265']),
    width: Type.Integer(),
    height: Type.Integer(),
    frameRate: nullable(Type.Number(), 'Pictures per second, as measured; null if only one was seen'),
    keyFrameDistance: nullable(
      Type.Number(),
      'Seconds from one key frame to the next; null if fewer than two were seen',
    ),
    bFrames: Type.Boolean({ description: 'Whether pictures are sent in another order than shown' }),
  }),
  audio: nullable(Type.String(), 'Codec of the first audio track'),
  picture: nullable(
    Type.String(),
    'The first picture, at most 640 pixels wide: JPEG in base64; null if none could be decoded in time',
  ),
});

/** The tracks and picture of a source, or the reason why it cannot be used. Holds no passwords. */
export const SourceTest = Type.Object({
  ok: Type.Boolean({ description: 'Whether every stream can be used' }),
  reason: Type.Optional(
    Type.String({
      description:
        'Why not: `unreachable`, `unauthorized`, `not_found`, `no_video`, `silent`, `lost`, `broken` or `failed`',
    }),
  ),
  detail: Type.Optional(Type.String({ description: 'The same as a sentence for people' })),
  machine: Type.Optional(
    Type.String({ description: 'Where several machines are one system: the one that tried it' }),
  ),
  main: Type.Optional(Stream),
  sub: Type.Optional(Stream),
});
export type SourceTest = Readonly<Static<typeof SourceTest>>;
