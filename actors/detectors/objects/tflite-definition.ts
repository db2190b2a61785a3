import type { Json } from '../../../store/base/json.ts';
import { wholePicture, withCanonicalArea } from '../../../store/detectors/section-fields.ts';
import type { DetectorDefinition } from '../detector-contract.ts';
import { TfliteConfig } from './tflite-config.ts';

/** Objects, found by a model in colour frames and followed. */
export const tflite: DetectorDefinition<TfliteConfig> = {
  name: 'tflite',
  title: 'Object detection',
  // The name in later versions of SentryShot.
  aliases: ['object_detection'],
  schema: TfliteConfig,
  defaults: {
    enable: true,
    thresholds: { person: 45, car: 45, vehicle: 45, bicycle: 45, dog: 45, cat: 45 },
    crop: { x: 0, y: 0, size: wholePicture },
    mask: { enable: false, area: [] },
    detectorName: 'default',
    // An object is published once it is seen in two frames of three: within two seconds, with time to spare.
    feedRate: 2,
    duration: 120,
    useSubStream: true,
  },
  canonical: (section) => ({
    ...section,
    ...(section['mask'] !== undefined && { mask: withCanonicalArea(section['mask']) }),
    ...(section['crop'] !== undefined && { crop: canonicalCrop(section['crop']) }),
  }),
  frames: ({ feedRate: rate, useSubStream }) => ({ format: 'rgb', rate, main: !useSubStream }),
  recordSeconds: (settings) => settings.duration,
  adapt: (settings, runs) => ({
    ...settings,
    // Without motion detection nothing would ever say that there is motion.
    whileMotion: runs('motion') && settings.whileMotion !== false,
  }),
  async load(host) {
    const [{ ObjectDetectionResources }, { ObjectDetector }, { endOpenObjects }] = await Promise.all([
      import('./object-detection-resources.ts'),
      import('./object-detector.ts'),
      import('./open-objects.ts'),
    ]);
    const resources = new ObjectDetectionResources(host);
    // No detector has come so far that it could publish an object.
    endOpenObjects(host.bus, host.outbox).catch((error: Error) =>
      host.log.warning(`objects may stay without an end: ${error.message}`),
    );
    return {
      create: (environment, settings) => new ObjectDetector(environment, settings, resources),
      close: () => resources.close(),
    };
  },
};

/** SentryShot's own form is `[x, y, size]`. */
function canonicalCrop(crop: Json): Json {
  if (!Array.isArray(crop) || crop.length !== 3) return crop;
  const [x = null, y = null, size = null] = crop;
  return { x, y, size };
}
