import { type Static, Type } from 'typebox';
import {
  area,
  duration,
  feedRate,
  flag,
  percent,
  wholePicture,
  withCanonicalArea,
} from '../../../store/detectors/section-fields.ts';
import type { DetectorDefinition } from '../detector-contract.ts';

const MotionConfig = Type.Object(
  {
    enable: flag('detect motion'),
    feedRate,
    duration,
    /** Where sizes of pictures show that nothing moves, only key frames are decoded. */
    sleep: Type.Optional(flag('let the decoder sleep')),
    zones: Type.Array(
      Type.Object(
        {
          enable: flag('watch this zone'),
          /** The minimum change of a pixel that counts, in percent. */
          sensitivity: percent('a sensitivity'),
          /** Motion is detected if the changed share of the zone, in percent, is between these two. */
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

/**
 * What sizes do not show is found at the next key frame, which comes within 4 s; then the group is asked for, in turn with other
 * cameras, and decoded.
 */
const sleeperLateMs = 8000;

/** Motion, zone by zone, in gray frames. */
export const motion: DetectorDefinition<MotionConfig> = {
  name: 'motion',
  title: 'Motion detection',
  schema: MotionConfig,
  // One zone, the whole frame.
  defaults: {
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
  },
  canonical(section) {
    const { zones } = section;
    return Array.isArray(zones) ? { ...section, zones: zones.map(withCanonicalArea) } : section;
  },
  frames: ({ feedRate: rate, sleep }) => ({ format: 'gray', rate, ...(sleep && { lateMs: sleeperLateMs }) }),
  recordSeconds: (settings) => settings.duration,
  async load({ bus }) {
    const { RunningMotion } = await import('./running-motion.ts');
    const running = new RunningMotion(bus);
    return {
      create: (environment, { zones, sleep = false }) => running.start(environment, zones, sleep),
      close: async () => running.close(),
    };
  },
};
