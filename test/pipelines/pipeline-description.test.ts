import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describePipelines, type PipelineDescription } from '../../pipelines/pipeline-description.ts';
import type { VideoSource } from '../../pipelines/pipeline-protocol.ts';
import { redactor } from '../../pipelines/redactor.ts';
import { SourceError } from '../../pipelines/stream-address.ts';

const main = 'rtsp://127.0.0.1:554/main';
const sub = 'rtsp://127.0.0.1:554/sub';
const tcp = (url: string): VideoSource => ({ kind: 'rtsp', protocol: 'tcp', main: url });

/** The names of the elements, in order. */
const elements = ({ launch }: PipelineDescription) =>
  launch
    .split(/ ! | {1}(?=source\. |video\. |parser\. )/)
    .map((part) => part.split(' ')[0] ?? '')
    .filter((word) => /^[a-z][a-z0-9_]*$/.test(word));

const recording = [
  'rtspsrc',
  'rtph264depay',
  'h264parse',
  'h264timestamper',
  'mp4mux',
  'capssetter',
  'appsink',
  'typefind',
  'fakesink',
];
const decoding = [
  'valve',
  'queue',
  'avdec_h264',
  'capssetter',
  'videorate',
  'videoconvertscale',
  'gdppay',
  'capssetter',
  'appsink',
];

describe('a pipeline', () => {
  test('only records when no detector watches', () => {
    const { main: description, sub: second } = describePipelines({ source: tcp(main), frames: {} });
    expect(elements(description)).toEqual(recording);
    expect(second).toBeUndefined();
  });

  test('makes pictures of the main stream when there is no other', () => {
    const { main: description, sub: second } = describePipelines({
      source: tcp(main),
      frames: { gray: { rate: 5 } },
    });
    expect(elements(description)).toEqual([
      ...[
        'rtspsrc',
        'rtph264depay',
        'h264parse',
        'tee',
        'queue',
        'h264timestamper',
        'mp4mux',
        'capssetter',
        'appsink',
      ],
      ...[...decoding, 'typefind', 'fakesink'],
    ]);
    expect(second).toBeUndefined();
  });

  test('makes pictures of the sub stream in a pipeline of its own', () => {
    const { main: first, sub: second } = describePipelines({
      source: { kind: 'rtsp', protocol: 'udp', main, sub },
      frames: { gray: { rate: 5 } },
    });
    expect(elements(first)).toEqual(recording);
    expect(second && elements(second)).toEqual([
      ...['rtspsrc', 'rtph264depay', 'h264parse', ...decoding, 'typefind', 'fakesink'],
    ]);
    expect(second?.properties['source']?.['location']).toBe(sub);
    expect(first.launch).toContain('protocols=udp ');
    expect(second?.launch).toContain('protocols=udp ');
  });

  test('decodes once for both kinds of pictures, each with its valve', () => {
    const { main: description } = describePipelines({
      source: tcp(main),
      frames: { gray: { rate: 5 }, rgb: { rate: 2, main: true } },
    });
    expect(description.formats).toEqual(['gray', 'rgb']);
    expect(description.launch.match(/avdec_h264/g)).toHaveLength(1);
    expect(description.launch).toMatch(/name=grayvalve .*name=gray .*name=rgbvalve .*name=rgb /);
  });

  test('takes each kind of pictures from the stream it is wanted of', () => {
    const source: VideoSource = { kind: 'rtsp', protocol: 'tcp', main, sub };
    const { main: first, sub: second } = describePipelines({
      source,
      frames: { gray: { rate: 5 }, rgb: { rate: 2, main: true } },
    });
    expect([first.formats, second?.formats]).toEqual([['rgb'], ['gray']]);
    const both = describePipelines({
      source,
      frames: { gray: { rate: 5 }, rgb: { rate: 2, main: false } },
    });
    expect([both.main.formats, both.sub?.formats]).toEqual([[], ['gray', 'rgb']]);
  });

  test('does not fetch a sub stream that nobody watches', () => {
    const source: VideoSource = { kind: 'rtsp', protocol: 'tcp', main, sub };
    expect(describePipelines({ source, frames: {} }).sub).toBeUndefined();
  });

  test.each([
    [0, undefined],
    [0.2, 'max-rate=1 '],
    [2.5, 'max-rate=3 '],
    [5, 'max-rate=5 '],
  ])('of %d pictures a second lets GStreamer drop the rest', (rate, limit) => {
    const { launch } = describePipelines({ source: tcp(main), frames: { gray: { rate } } }).main;
    expect(/max-rate=\d+ /.exec(launch)?.[0]).toBe(limit);
  });
});

describe('an address', () => {
  test('goes in as a property, with its credentials encoded', () => {
    const { properties } = describePipelines({
      source: tcp('rtsp://gu%40rd:p%40ss%3A%2F@Camera-1.local:8554/a/b?channel=1&x=%20'),
      frames: {},
    }).main;
    expect(properties['source']).toEqual({
      location: 'rtsp://gu%40rd:p%40ss%3A%2F@Camera-1.local:8554/a/b?channel=1&x=%20',
    });
  });

  test.each([
    ['rtsp://guard@127.0.0.1/', 'guard:'],
    ['rtsp://guard:100%@127.0.0.1/', 'guard:100%25'],
    ["rtsp://guard:it's(1)*!@127.0.0.1/", 'guard:it%27s%281%29%2A%21'],
    ['rtsp://guard:pä+ß@127.0.0.1/', 'guard:p%C3%A4%2B%C3%9F'],
  ])('of %s hands on the login %s', (url, login) => {
    expect(describePipelines({ source: tcp(url), frames: {} }).main.properties['source']).toEqual({
      location: `rtsp://${login}@127.0.0.1/`,
    });
  });

  test.each([
    ['rtsp://127.0.0.1/', 'rtsp://127.0.0.1/'],
    ['rtsps://127.0.0.1:322/x', 'rtsps://127.0.0.1:322/x'],
    ['rtsp://[::1]:8554/x', 'rtsp://[::1]:8554/x'],
    ['rtsp://127.0.0.1/x#part', 'rtsp://127.0.0.1/x'],
    ['rtsp://127.0.0.1/straße', 'rtsp://127.0.0.1/stra%C3%9Fe'],
    [
      'rtsp://127.0.0.1/a" ! filesink location=/x "',
      'rtsp://127.0.0.1/a%22%20!%20filesink%20location=/x%20%22',
    ],
  ])('%s is asked for as %s', (url, location) => {
    expect(describePipelines({ source: tcp(url), frames: {} }).main.properties['source']).toEqual({
      location,
    });
  });

  test.each([
    '',
    'camera',
    'file:///etc/passwd',
    'http://127.0.0.1/',
    'rtspt://127.0.0.1/',
    'rtsp-sdp://127.0.0.1/',
    'rtsp:127.0.0.1',
    'rtsp:///x',
    'rtsp://a!b/x',
    'rtsp://a"b/x',
    "rtsp://a'b/x",
    'rtsp://-a/x',
    'rtsp://127.0.0.1:99999/x',
  ])('%j is refused', (url) => {
    expect(() => describePipelines({ source: tcp(url), frames: {} })).toThrow(SourceError);
  });

  test('is not repeated when it is refused', () => {
    expect(() => describePipelines({ source: tcp('rtsp://guard:secret@a!b/'), frames: {} })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('no text of a user', () => {
  const launch = (source: VideoSource) =>
    Object.values(describePipelines({ source, frames: { gray: { rate: 5 } } })).map((each) => each.launch);

  test('becomes a part of a launch string', () => {
    const path = '/media/a" ! filesink location=/etc/x';
    const file: VideoSource = { kind: 'file', path, loop: true };
    expect(launch(file)).toEqual(launch({ ...file, path: '/media/b.mp4' }));
    expect(describePipelines({ source: file, frames: {} }).main.properties).toEqual({
      source: { location: path },
    });
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), fc.string(), (webPath, query, user) => {
        const url = `rtsp://${encodeURIComponent(user)}:x@127.0.0.1${webPath}?${query}`;
        const source: VideoSource = { kind: 'rtsp', protocol: 'tcp', main: url, sub: url };
        expect(launch(source)).toEqual(launch({ ...source, main, sub }));
      }),
      { numRuns: 50 },
    );
  });
});

describe('what others may read', () => {
  test('holds no password, however it is written', () => {
    const redact = redactor({
      kind: 'rtsp',
      protocol: 'tcp',
      main: 'rtsp://guard:p%40ssword@127.0.0.1/main',
      sub: 'rtsp://guard:another@127.0.0.1/sub',
    });
    expect(redact('p@ssword p%40ssword another rtsp://x:y@127.0.0.1/z')).toBe(
      '*** *** *** rtsp://***@127.0.0.1/z',
    );
    // As the user writes it, as it is, and as GStreamer gets it.
    const odd = redactor(tcp("rtsp://guard:it's%2f@127.0.0.1/main"));
    expect(odd("it's%2f it's/ it%27s%2F")).toBe('*** *** ***');
    expect(redactor({ kind: 'test' })('as it is')).toBe('as it is');
  });
});
