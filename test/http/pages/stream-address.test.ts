import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRtspAddress } from '../../../bus/base/rtsp-address.ts';
import {
  authorityOf,
  joinAddress,
  noLogin,
  splitAddress,
} from '../../../http/pages/app/settings/sources/stream-address.ts';

describe("a camera's address", () => {
  test('is taken apart into login and the rest, and put together again', () => {
    const { login, address } = splitAddress('rtsp://viewer:p%40ss%2Fword@127.0.0.7:554/main?a=1');
    expect(login).toEqual({ stored: undefined, user: 'viewer', password: 'p@ss/word' });
    expect(address).toBe('rtsp://127.0.0.7:554/main?a=1');
    expect(joinAddress(login, 'rtsp://127.0.0.7/sub')).toBe('rtsp://viewer:p%40ss%2Fword@127.0.0.7/sub');
  });

  test('keeps a stored login as it was read, until its user changes', () => {
    const { login, address } = splitAddress('rtsp://us%40er:********@cam/main');
    expect(login).toEqual({ stored: 'us%40er:********', user: 'us@er', password: undefined });
    expect(joinAddress(login, address)).toBe('rtsp://us%40er:********@cam/main');
    expect(joinAddress({ ...login, user: 'other' }, address)).toBe('rtsp://other:********@cam/main');
    expect(joinAddress({ ...login, password: 'new' }, address)).toBe('rtsp://us%40er:new@cam/main');
  });

  test.each([
    'rtsp://cam/user@path',
    'rtsp://a:b@c@cam/main',
    'rtsp://a:100%@cam/%41',
    'rtsp://a:b%20c%@cam/main',
    'http://a:b@cam/main',
    'rtsp://',
    '',
  ])('%j stays whole, or leads to the same address', (url) => {
    const { login, address } = splitAddress(url);
    const joined = joinAddress(login, address);
    if (address === url) expect([login, joined]).toEqual([noLogin, url]);
    else expect(parseRtspAddress(joined)).toEqual(parseRtspAddress(url));
  });

  test('has the login that was typed, whatever its characters are', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .filter((one) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(one));
    fc.assert(
      fc.property(text, text, (user, password) => {
        const url = joinAddress({ stored: undefined, user, password }, 'rtsp://cam.local:8554/main');
        const read = parseRtspAddress(url);
        expect([read.user, read.password, read.host]).toEqual([user, password, 'cam.local']);
        expect(splitAddress(url)).toEqual({
          login: { stored: undefined, user, password },
          address: 'rtsp://cam.local:8554/main',
        });
      }),
    );
  });

  test('says where a stored password may be sent', () => {
    expect(authorityOf('RTSP://Cam:554/main')).toBe('rtsp://cam:554');
    expect(authorityOf('nothing')).toBe('');
  });
});
