import jpeg from 'jpeg-js';

/** In percent: artefacts are hardly seen, and a picture of 640×480 takes 40 to 80 kB. */
const quality = 85;

/** @param data three bytes a pixel (RGB), without padding */
export function encodeJpeg({
  width,
  height,
  data,
}: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from] as number;
    rgba[to + 1] = data[from + 1] as number;
    rgba[to + 2] = data[from + 2] as number;
  }
  return Uint8Array.from(jpeg.encode({ width, height, data: rgba }, quality).data);
}
