import type { TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { MotionConfig, TfliteConfig } from '../../../store/monitors/monitor-config.ts';
import { type Detector, DetectorSettingsError } from '../detector-contract.ts';
import { MotionDetector } from '../motion/motion-detector.ts';
import type { ObjectDetectorEnvironment } from '../objects/object-detection-resources.ts';
import { ObjectDetector } from '../objects/object-detector.ts';

type Create = (environment: ObjectDetectorEnvironment, settings: unknown) => Detector;

/** Every detector by the name under which a monitor's configuration has its section. */
export const detectors: Readonly<Record<string, Create>> = {
  motion: (environment, settings) => new MotionDetector(environment, checked(MotionConfig, settings)),
  tflite: (environment, settings) => new ObjectDetector(environment, checked(TfliteConfig, settings)),
};

/** @throws {DetectorSettingsError} saying which field is wrong. */
function checked<Settings>(schema: TSchema & { static?: Settings }, settings: unknown): Settings {
  if (Check(schema, settings)) return settings as Settings;
  const [first] = Errors(schema, settings);
  throw new DetectorSettingsError(`${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}`);
}
