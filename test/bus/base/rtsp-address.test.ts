import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRtspAddress, RtspAddressError } from '../../../bus/base/rtsp-address.ts';

const refused = (text: string) => {
  try {
    parseRtspAddress(text);
  } catch (error) {
    if (error instanceof RtspAddressError) return error.message;
    throw error;
  }
  return 'it was accepted';
};

describe('an address', () => {
  test.each([
    ['rtsp://HOST/main', { secure: false, host: 'HOST', port: 554, url: 'rtsp://HOST/main' }],
    ['RTSP://host:8554', { secure: false, host: 'host', port: 8554, url: 'rtsp://host:8554' }],
    ['RtspS://host/a/b?c=d&e=f', { secure: true, port: 322, url: 'rtsps://host/a/b?c=d&e=f' }],
    ['rtsp://host/main?', { url: 'rtsp://host/main?' }],
    ['rtsp://host/a//../b/%2e?x=%zz', { url: 'rtsp://host/a//../b/%2e?x=%zz' }],
    ['rtsp://host/main#fragment', { url: 'rtsp://host/main' }],
    ['rtsp://host/kamera%20ü', { url: 'rtsp://host/kamera%20%C3%BC' }],
    ['rtsp://[fe80::1:2]:8554/x', { host: 'fe80::1:2', port: 8554, url: 'rtsp://[fe80::1:2]:8554/x' }],
    ['rtsp://[::1]', { host: '::1', port: 554, url: 'rtsp://[::1]' }],
    ['rtsp://my_camera.local/x', { host: 'my_camera.local' }],
    [
      'rtsp://127.0.0.5:554/live@main',
      { host: '127.0.0.5', user: '', url: 'rtsp://127.0.0.5:554/live@main' },
    ],
    ['rtsp://a:b@127.0.0.5/live@main', { user: 'a', password: 'b', url: 'rtsp://127.0.0.5/live@main' }],
    ['rtsp://HOST/live@main', { host: 'HOST', user: '', url: 'rtsp://HOST/live@main' }],
  ])('%s is read', (text, parts) => {
    expect(parseRtspAddress(text)).toMatchObject(parts);
  });

  test.each([
    ['rtsp://admin:secret@HOST/', 'admin', 'secret'],
    ['rtsp://admin@HOST/', 'admin', ''],
    ['rtsp://admin:@HOST/', 'admin', ''],
    ['rtsp://:secret@HOST/', '', 'secret'],
    ['rtsp://admin:a;b%c@HOST/', 'admin', 'a;b%c'],
    ['rtsp://admin:p@ss%w@HOST/', 'admin', 'p@ss%w'],
    ['rtsp://admin:p%40ss%25w@HOST/', 'admin', 'p@ss%w'],
    ['rtsp://admin:100%@HOST/', 'admin', '100%'],
    ['rtsp://admin:a:b:c@HOST/', 'admin', 'a:b:c'],
    ['rtsp://admin:pa/ss?w#o@rd@HOST/x', 'admin', 'pa/ss?w#o@rd'],
    ['rtsp://admin:with space@HOST/', 'admin', 'with space'],
    ['rtsp://ad%3Amin:%2F%40@HOST/', 'ad:min', '/@'],
    ['rtsp://admin:päss😀@HOST/', 'admin', 'päss😀'],
    ['rtsp://admin:{"<>`|\\^}@HOST/', 'admin', '{"<>`|\\^}'],
  ])('%s holds these credentials', (text, user, password) => {
    expect(parseRtspAddress(text)).toMatchObject({ user, password, host: 'HOST' });
  });

  test.each([
    ['http://HOST/', 'must begin with rtsp:// or rtsps://'],
    ['rtsp:/HOST', 'must begin with rtsp:// or rtsps://'],
    [' rtsp://HOST/', 'begins with a space'],
    ['rtsp://HOST/main ', 'ends with a space'],
    ['rtsp://HOST/a b', 'write it as %20'],
    ['rtsp://admin:secret@HOST/\t', 'ends with a space'],
    ['rtsp://HOST/\r\nCSeq: 1/x', 'control character'],
    ['rtsp://admin:a\u2028b@HOST/', 'control character'],
    ['rtsp://admin:a%e2%80%a9b@HOST/', 'the password holds a control character'],
    ['rtsp://admin:a%0d%0ab@HOST/', 'the password holds a control character'],
    ['rtsp://a%00b:secret@HOST/', 'the user name holds a control character'],
    ['rtsp:///main', 'not a name or an IP address'],
    ['rtsp://ho st/main', 'not a name or an IP address'],
    ['rtsp://HOST:0/', 'not a name or an IP address'],
    ['rtsp://HOST:65536/', 'not a name or an IP address'],
    ['rtsp://[12345::]/', 'not a name or an IP address'],
    ['rtsp://admin:secret@/main', 'not a name or an IP address'],
    ['rtsp://admin:2020/secret@HOST/main', 'can be read in two ways: write @ as %40'],
    ['rtsp://admin:2020?secret@127.0.0.5/main', 'can be read in two ways: write @ as %40'],
    ['rtsp://ad/min:secret@HOST/main', 'can be read in two ways: write @ as %40'],
    ['rtsp://admin:se@cret/x@HOST/main', 'can be read in two ways: write @ as %40'],
    ['rtsp://admin:p%40ss%w@HOST/', 'the password can be read in two ways'],
    ['rtsp://admin:%e4secret@HOST/', 'not valid UTF-8; write a % that encodes nothing as %25'],
    [`rtsp://HOST/${'x'.repeat(5000)}`, 'longer than 4096 characters'],
    ['rtsp://admin:\ud800@HOST/', 'not valid Unicode'],
    ['rtsp://admin:secret%E2%80%A8@HOST/', 'the password holds a control character'],
  ])('%j is refused with the reason', (text, reason) => {
    const message = refused(text);
    expect(message).toContain(reason);
    expect(message).not.toMatch(/secret|2020/);
  });

  test('gives back every user and password that was written with escapes', () => {
    fc.assert(
      fc.property(printable, printable, (user, password) => {
        const written = `rtsp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@HOST/main`;
        expect(parseRtspAddress(written)).toMatchObject({ user, password, url: 'rtsp://HOST/main' });
      }),
    );
  });

  test('gives back every user and password that was written as it is, or refuses it', () => {
    fc.assert(
      fc.property(printable, printable, (user, password) => {
        fc.pre(!user.includes(':'));
        const written = `rtsp://${user}:${password}@HOST/main`;
        try {
          const address = parseRtspAddress(written);
          const wasEncoded = /%[0-9A-Fa-f]{2}/.test(user + password);
          if (!wasEncoded)
            expect(address).toMatchObject({ user, password, host: 'HOST', url: 'rtsp://HOST/main' });
        } catch (error) {
          if (!(error instanceof RtspAddressError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

const printable = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text));
