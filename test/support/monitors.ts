import type { MotionConfig } from '../../actors/detectors/motion/motion-definition.ts';
import type { TfliteConfig } from '../../actors/detectors/objects/tflite-config.ts';
import { type MonitorConfig, sectionOf } from '../../store/monitors/monitor-config.ts';
import type { Monitors } from '../../store/monitors/monitors.ts';

/** Monitors as a user would set them up; what a test is about it says itself. */

type Common = Partial<Omit<MonitorConfig, 'id' | 'source'>> & {
  readonly motion?: MotionConfig;
  readonly tflite?: TfliteConfig;
  /** The section of a test's own detector. */
  readonly brightness?: object;
};

const usual = (id: string) => ({ id, name: id, enable: true, alwaysRecord: false, videoLength: 15 });

/** A camera. `streams` are its URLs: the main one, and a sub stream where there is one. */
export function rtspMonitor(
  id: string,
  streams: readonly [string, string?],
  rest: Common = {},
): MonitorConfig {
  const [mainStream, subStream] = streams;
  const sourcertsp = { protocol: 'tcp' as const, mainStream, ...(subStream && { subStream }) };
  return { ...usual(id), source: 'rtsp', sourcertsp, ...rest };
}

/** GStreamer's own moving picture. */
export function testMonitor(id: string, rest: Common = {}): MonitorConfig {
  return { ...usual(id), source: 'test', sourcetest: {}, ...rest };
}

/** Motion detection over the whole picture, as the people in `vtest.mp4` set it off. */
export const motion: MotionConfig = {
  enable: true,
  feedRate: 5,
  duration: 10,
  zones: [
    {
      enable: true,
      sensitivity: 8,
      thresholdMin: 0.5,
      thresholdMax: 100,
      area: [
        [0, 0],
        [1_000_000, 0],
        [1_000_000, 1_000_000],
        [0, 1_000_000],
      ],
    },
  ],
};

/** Object detection over the whole picture: people and cars. */
export const tflite: TfliteConfig = {
  enable: true,
  thresholds: { person: 45, car: 45 },
  crop: { x: 0, y: 0, size: 1_000_000 },
  mask: { enable: false, area: [] },
  detectorName: 'default',
  feedRate: 5,
  duration: 10,
  useSubStream: true,
};

/** Whether a stored monitor has this detector switched on; undefined when it has no such section. */
export function isEnabled(monitors: Monitors, monitorID: string, detector: string): boolean | undefined {
  const monitor = monitors.get(monitorID);
  return monitor && sectionOf(monitor, detector)?.enable;
}
