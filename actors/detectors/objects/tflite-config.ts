import { type Static, Type } from 'typebox';
import {
  area,
  coordinate,
  duration,
  feedRate,
  flag,
  percent,
  wholePicture,
} from '../../../store/detectors/section-fields.ts';

/** The section `tflite` of a monitor's configuration. */
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
