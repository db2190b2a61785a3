import { Type } from 'typebox';
import { isObject, type Json } from '../base/json.ts';

/** Fields that the sections of detectors have in common. */

export const flag = (description: string) => Type.Boolean({ description: `true or false: ${description}` });

/** Coordinates are millionths of the frame's width or height. */
export const wholePicture = 1_000_000;

export const coordinate = Type.Integer({
  minimum: 0,
  maximum: wholePicture,
  description: 'a whole number of millionths, 0 to 1000000',
});

/** A polygon. */
export const area = Type.Array(Type.Tuple([coordinate, coordinate]), {
  maxItems: 256,
  description: 'at most 256 points [x, y] in millionths of the width and height',
});

export const percent = (what: string) =>
  Type.Number({ minimum: 0, maximum: 100, description: `${what}, 0 to 100 percent` });

export const feedRate = Type.Number({
  minimum: 0,
  maximum: 100,
  description: 'a number of frames per second, 0 to 100 (0: every frame)',
});

/** Seconds that a recording continues after an event. */
export const duration = Type.Number({
  minimum: 0,
  maximum: 86_400,
  description: 'a number of seconds, 0 to 86400',
});

/** SentryShot's points `{x, y}` become `[x, y]`. */
export function withCanonicalArea(json: Json): Json {
  if (!isObject(json) || !Array.isArray(json['area'])) return json;
  const points = json['area'].map((point) => {
    if (!isObject(point)) return point;
    const { x = null, y = null } = point;
    return [x, y];
  });
  return { ...json, area: points };
}
