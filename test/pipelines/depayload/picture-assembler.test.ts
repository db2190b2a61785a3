import { expect, test } from 'vitest';
import { H264Codec } from '../../../pipelines/codecs/h264.ts';
import { type CodedPicture, PictureAssembler } from '../../../pipelines/depayload/picture-assembler.ts';

const megabyte = 1024 * 1024;
/** Supplemental information (SEI) of H.264, which comes before a slice. */
const information = (bytes: number) => Buffer.alloc(bytes).fill(6, 0, 1);
/** The only slice of a key frame, as far as it is read. */
const slice = Buffer.from([0x65, 0x88, 0x80]);

test('what comes before a slice is held up to the size of a picture, and the next picture is whole', () => {
  const pictures: CodedPicture[] = [];
  const assembler = new PictureAssembler(new H264Codec(), (picture) => pictures.push(picture));
  const large = information(4 * megabyte);
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 60; n += 1) assembler.push(large, 0, 0);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * megabyte);
  for (const timestamp of [0, 9000]) {
    assembler.push(information(100), timestamp, 0);
    assembler.push(slice, timestamp, 0);
  }
  assembler.flush();
  expect(pictures.map(({ keyFrame }) => keyFrame)).toEqual([true, true]);
  expect(pictures[1]?.data).toHaveLength(4 + 100 + 4 + slice.length);
});
