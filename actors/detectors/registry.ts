import type { TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { MotionConfig, TfliteConfig } from '../../store/monitor-config.ts';
import { type Detector, DetectorSettingsError } from './detector.ts';
import { MotionDetector } from './motion.ts';
import type { ObjectEnvironment } from './tflite/object-finder.ts';
import { TfliteDetector } from './tflite/tflite.ts';

type Create = (environment: ObjectEnvironment, settings: unknown) => Detector;

/** Every detector by the name under which a monitor's configuration has its section. */
export const detectors: Readonly<Record<string, Create>> = {
  motion: (environment, settings) => new MotionDetector(environment, checked(MotionConfig, settings)),
  tflite: (environment, settings) => new TfliteDetector(environment, checked(TfliteConfig, settings)),
};

/** @throws {DetectorSettingsError} saying which field is wrong. */
function checked<Settings>(schema: TSchema & { static?: Settings }, settings: unknown): Settings {
  if (Check(schema, settings)) return settings as Settings;
  const [first] = Errors(schema, settings);
  throw new DetectorSettingsError(`${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}`);
}
