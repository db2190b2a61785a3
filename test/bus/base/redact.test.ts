import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactUrls } from '../../../bus/base/redact.ts';
import { parseRtspAddress } from '../../../bus/base/rtsp-address.ts';

describe('the text that people may read', () => {
  test.each([
    ['rtsp://admin:2026@127.0.0.1/main: refused', 'rtsp://***@127.0.0.1/main: refused'],
    ['cannot open "rtsps://:only@door.local:322/"', 'cannot open "rtsps://***@door.local:322/"'],
    ['http://admin@127.0.0.1/ and https://a:b@c', 'http://***@127.0.0.1/ and https://***@c'],
    ['rtsp://127.0.0.1/user=admin_password=x1_channel=1', 'rtsp://127.0.0.1/user=admin_password=***'],
    ['/live?pass=1&PWD=2&channel=3&access_token=4 5', '/live?pass=***&PWD=***&channel=3&access_token=*** 5'],
    // As cameras' passwords are typed.
    ['rtsp://u:p@s/s?w#d@127.0.0.1:554/a@b', 'rtsp://***@127.0.0.1:554/a@b'],
    ['rtsp://u:p@s/s@door.local/a', 'rtsp://***@door.local/a'],
    ['rtsp://u:p@s/s@[fe80::1]/a', 'rtsp://***@[fe80::1]/a'],
  ])('%s', (text, redacted) => expect(redactUrls(text)).toBe(redacted));

  test.each([
    'recording saved: 2026-11-23_03-40-12_door',
    'rtsp://127.0.0.1:554/live@main?compass=north',
    'rtsp://door.local/live@main',
    'wrong user name or password',
    'guard@example.org: 10:20',
  ])('is not touched where it holds no secret: %s', (text) => expect(redactUrls(text)).toBe(text));

  test('holds no part of a password that the RTSP client would send', () => {
    const secret = fc.string({ minLength: 8, maxLength: 20, unit: fc.constantFrom(...'sé$"\':/?#@&=[].') });
    const host = fc.constantFrom('127.0.0.1', 'door', '[fe80::1]', '127.0.0.1:8554', 'door.local:554');
    let tried = 0;
    fc.assert(
      fc.property(secret, host, (password, where) => {
        const url = `rtsp://guard:${password}@${where}/main`;
        try {
          // One that it would refuse, or read otherwise, is no password.
          if (parseRtspAddress(url).password !== password) return;
        } catch {
          return;
        }
        tried += 1;
        expect(redactUrls(`opens ${url} again`)).toBe(`opens rtsp://***@${where}/main again`);
      }),
      { numRuns: 2000 },
    );
    expect(tried).toBeGreaterThan(500);
  });
});
