import type { Clip } from './clips.ts';
import { picturesOf, type TestPicture } from './pictures.ts';

const rate = 10;
const small = { width: 32, height: 24 };

/** Says how far a clip has come when it shows a picture: seconds from its beginning. */
export type ClipClock = (picture: Pick<TestPicture, 'width' | 'height' | 'data'>) => number;

/**
 * Knows all pictures of a clip by their looks, so that whoever receives one, however late and by whatever way, can
 * tell where in the clip it is. For RGB pictures whose sides are multiples of 32 and 24.
 */
export async function clipClock(name: Clip): Promise<ClipClock> {
  const known: Uint8Array[] = [];
  for await (const { data } of picturesOf(name, { ...small, rate, filter: 'scale=32:24:flags=area' })) {
    known.push(data);
  }
  return (picture) => {
    const seen = shrink(picture);
    const distances = known.map((data) =>
      data.reduce((sum, value, at) => sum + Math.abs(value - (seen[at] ?? 0)), 0),
    );
    return distances.indexOf(Math.min(...distances)) / rate;
  };
}

function shrink({ width, height, data }: Parameters<ClipClock>[0]): Float64Array {
  const [across, down] = [width / small.width, height / small.height];
  const shrunk = new Float64Array(small.width * small.height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const to = 3 * (Math.floor(y / down) * small.width + Math.floor(x / across));
      for (let colour = 0; colour < 3; colour += 1) {
        const value = (data[3 * (y * width + x) + colour] ?? 0) / (across * down);
        shrunk[to + colour] = (shrunk[to + colour] ?? 0) + value;
      }
    }
  }
  return shrunk;
}
