import { beforeAll, describe, expect, test, vi } from 'vitest';
import { motion } from '../../../actors/detectors/motion/motion-definition.ts';
import { tflite } from '../../../actors/detectors/objects/tflite-definition.ts';
import { RtspError, refusal, unanswered, unreadable } from '../../../pipelines/rtsp/protocol/rtsp-error.ts';
import { monitorSchemas } from '../../../store/monitors/monitor-config.ts';

/** What the recorder refuses, and why, is said to German viewers in German. */

let translated: (sentence: string) => string;
beforeAll(async () => {
  vi.stubGlobal('localStorage', { getItem: () => 'de' });
  ({ translated } = await import('../../../http/pages/app/data/recorder-sentences.ts'));
});

/** The descriptions of all fields that are no objects themselves. */
function descriptions(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { description, type, ...rest } = schema as {
    readonly description?: unknown;
    readonly type?: unknown;
  };
  const own = typeof description === 'string' && type !== 'object' ? [description] : [];
  return [...own, ...Object.values(rest).flatMap((part) => descriptions(part))];
}

describe('refusals', () => {
  test('of each field of a camera are there in German', () => {
    const all = descriptions(monitorSchemas([motion, tflite]).rtsp);
    expect(all.length).toBeGreaterThan(20);
    const english = all.filter(
      (text) => !translated(`/field: expected ${text}.`).startsWith('/field: erwartet'),
    );
    expect([...new Set(english)]).toEqual([]);
  });

  test('keep the field that they are about, and begin with a capital letter without one', () => {
    expect(translated('/videoLength: expected a number of minutes above 0, at most 10080.')).toBe(
      '/videoLength: erwartet wird eine Anzahl von Minuten über 0, höchstens 10080.',
    );
    expect(translated('Only an admin may do this.')).toBe('Das dürfen nur Administratoren.');
    expect(translated('nvr2 is away: what it has on its disk can be had when it is back.')).toBe(
      'nvr2 ist nicht erreichbar: Was dort auf der Platte liegt, gibt es erst wieder danach.',
    );
  });
});

describe('sentences', () => {
  test('keep what is their own', () => {
    expect(translated('sub stream: the camera cannot be reached: ECONNREFUSED')).toBe(
      'Zweitstrom: die Kamera ist nicht erreichbar: ECONNREFUSED',
    );
  });

  test('say why a camera is offline', () => {
    const methods = [401, 403, 404, 453, 500].map((status) => refusal('DESCRIBE', status).message);
    const closed = unanswered('SETUP', new RtspError('lost', 'the camera closed the connection')).message;
    const silent = [
      'no video for 10 s',
      'the camera has not answered within 10 s',
      'the camera has sent no picture within 20 s',
      'the camera did not answer PLAY within 10 s',
    ];
    const all = [...methods, closed, ...silent, unreadable(new Error('x')).message];
    expect(all.filter((sentence) => translated(sentence) === sentence)).toEqual([]);
    expect(translated(closed)).toBe('die Kamera hat die Verbindung beendet, vor der Antwort auf SETUP');
  });

  test('for which there is no German stay as they are', () => {
    expect(translated('Something new.')).toBe('Something new.');
    expect(translated('')).toBe('');
  });
});
