import type { TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { MotionConfig } from '../../store/monitor-config.ts';
import { type Detector, type DetectorEnvironment, DetectorSettingsError } from './detector.ts';
import { MotionDetector } from './motion.ts';

type Create = (environment: DetectorEnvironment, settings: unknown) => Detector;

/** Every detector by the name under which a monitor's configuration has its section. */
export const detectors: Readonly<Record<string, Create>> = {
  motion: (environment, settings) => new MotionDetector(environment, checked(MotionConfig, settings)),
};

/** @throws {DetectorSettingsError} saying which field is wrong. */
function checked<Settings>(schema: TSchema & { static?: Settings }, settings: unknown): Settings {
  if (Check(schema, settings)) return settings as Settings;
  const [first] = Errors(schema, settings);
  throw new DetectorSettingsError(`${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}`);
}
