import { describe, expect, test } from 'vitest';
import { describeDecoder, describeSource } from '../../../pipelines/gstreamer/pipeline-description.ts';
import type { VideoSource } from '../../../pipelines/protocol/pipeline-protocol.ts';
import { redactor } from '../../../pipelines/redactor.ts';

describe('a decoder', () => {
  test('decodes once for both kinds of pictures, each with its valve', () => {
    const { launch } = describeDecoder('h264', [
      ['gray', 5],
      ['rgb', 2],
    ]);
    expect(launch.match(/avdec_h264/g)).toHaveLength(1);
    expect(launch).toMatch(/name=grayvalve .*name=gray .*name=rgbvalve .*name=rgb /);
  });

  test('is the one of the codec', () => {
    expect(describeDecoder('h265', [['gray', 5]]).launch).toContain('avdec_h265');
  });

  test.each([
    [0, undefined],
    [0.2, 'max-rate=1 '],
    [2.5, 'max-rate=3 '],
    [5, 'max-rate=5 '],
  ])('of %d pictures a second lets GStreamer drop the rest', (rate, limit) => {
    const { launch } = describeDecoder('h264', [['gray', rate]]);
    expect(/max-rate=\d+ /.exec(launch)?.[0]).toBe(limit);
  });
});

test('no text of a user becomes a part of a launch string', () => {
  const path = '/media/a" ! filesink location=/etc/x';
  const { launch, properties } = describeSource({ kind: 'file', path });
  expect(launch).toBe(describeSource({ kind: 'file', path: '/media/b.mp4' }).launch);
  expect(properties).toEqual({ source: { location: path } });
});

describe('what others may read', () => {
  test('holds no password, however it is written', () => {
    const source: VideoSource = {
      kind: 'rtsp',
      protocol: 'tcp',
      main: 'rtsp://guard:p%40ssword@127.0.0.1/main',
      sub: 'rtsp://guard:another@127.0.0.1/sub',
    };
    const text =
      'guard:p@ssword@a guard:p%40ssword@b guard:another@c rtsp://x:y@127.0.0.1/z?pwd=1 another frame';
    expect(redactor(source)(text)).toBe('***@a ***@b ***@c rtsp://***@127.0.0.1/z?pwd=*** another frame');
    expect(redactor({ kind: 'test' })('as it is')).toBe('as it is');
  });
});
