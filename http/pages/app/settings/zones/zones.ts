import type { Json } from '../../../../../store/base/json.ts';
import { say } from '../../texts/say.ts';
import { zoneTexts } from '../../texts/zone-texts.ts';
import type { Draft } from '../form/draft.ts';
import type { Polygon, Shape } from './polygon-editing.ts';

/** A zone of motion detection, as a monitor's configuration has it. */
export interface MotionZone {
  readonly enable: boolean;
  readonly sensitivity: number;
  readonly thresholdMin: number;
  readonly thresholdMax: number;
  readonly area: Polygon;
}

/** Where objects are ignored. */
export interface ObjectMask {
  readonly enable: boolean;
  readonly area: Polygon;
}

export const zonesPointer = '/motion/zones';
export const maskPointer = '/tflite/mask';

/** Undefined while motion detection is off. */
export function readZones(draft: Draft): readonly MotionZone[] | undefined {
  if (draft.get('/motion/enable') !== true) return undefined;
  return (draft.get(zonesPointer) ?? []) as unknown as readonly MotionZone[];
}

/** Undefined while object detection is off. */
export function readMask(draft: Draft): ObjectMask | undefined {
  if (draft.get('/tflite/enable') !== true) return undefined;
  return (draft.get(maskPointer) ?? { enable: false, area: [] }) as unknown as ObjectMask;
}

/** For a draft. */
export const json = (part: MotionZone | ObjectMask | readonly MotionZone[]) => part as unknown as Json;

/** Counted from 1 for people, from 0 in events. */
export const zoneName = (index: number) => say(zoneTexts.zone, { number: index + 1 });

/** What is drawn. A mask without an area is nothing. */
export function shapesOf(
  zones: readonly MotionZone[] = [],
  mask: ObjectMask | undefined = undefined,
): readonly Shape[] {
  return [
    ...zones.map(({ enable, area }, index) => ({
      ...{ pointer: `${zonesPointer}/${index}/area`, name: zoneName(index), kind: 'zone' as const },
      ...{ enabled: enable, polygon: area },
    })),
    ...(mask && mask.area.length > 0
      ? [
          {
            ...{ pointer: `${maskPointer}/area`, name: say(zoneTexts.mask), kind: 'mask' as const },
            ...{ enabled: mask.enable, polygon: mask.area },
          },
        ]
      : []),
  ];
}
