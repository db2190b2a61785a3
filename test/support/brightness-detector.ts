import { type Static, Type } from 'typebox';
import { publishDetections } from '../../actors/detectors/detection-publisher.ts';
import type { DetectorDefinition } from '../../actors/detectors/detector-contract.ts';
import { FrameSubscription } from '../../actors/detectors/frame-subscription.ts';
import { duration, feedRate, flag, percent } from '../../store/detectors/section-fields.ts';

const BrightnessConfig = Type.Object(
  { enable: flag('detect light'), feedRate, duration, minBrightness: percent('a brightness') },
  { description: 'the settings of brightness detection' },
);

/** A whole detector, as somebody would add one: it sees that the mean of a gray frame is bright. */
export const brightness: DetectorDefinition<Static<typeof BrightnessConfig>> = {
  name: 'brightness',
  title: 'Brightness detection',
  schema: BrightnessConfig,
  defaults: { enable: true, feedRate: 2, duration: 3, minBrightness: 0 },
  frames: ({ feedRate: rate }) => ({ format: 'gray', rate }),
  recordSeconds: (settings) => settings.duration,
  load: async () => ({
    create(environment, { minBrightness }) {
      environment.log.info('watching', environment.monitorID);
      const frames = new FrameSubscription(environment, {
        onFrame({ data, timeUs }) {
          const score = (data.reduce((sum, value) => sum + value, 0) / data.length / 255) * 100;
          if (score >= minBrightness) publishDetections(environment, timeUs, [{ label: 'light', score }]);
        },
      });
      return { stop: () => frames.close() };
    },
  }),
};
