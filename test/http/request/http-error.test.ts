import { expect, test } from 'vitest';
import { describeCause, toHttpError } from '../../../http/request/failure.ts';
import { errors, HttpError } from '../../../http/request/http-error.ts';
import { StoreError } from '../../../store/base/store-error.ts';
import { expectInReadme, table } from '../../support/readme.ts';

test('the README lists every error code', () => {
  const rows = Object.entries(errors).map(([code, { status, meaning }]) => [
    `\`${code}\``,
    String(status),
    meaning,
  ]);
  expectInReadme('README.md', 'errors', table(['code', 'status', 'when'], rows));
});

test('codes are snake case, and each has a title of its own', () => {
  for (const code of Object.keys(errors)) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  const titles = Object.values(errors).map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
});

test('what nobody foresaw says nothing to the client', () => {
  const failure = toHttpError(new Error('rtsp://user:secret@127.0.0.1 at /home/somebody'));
  expect(JSON.parse(JSON.stringify(failure))).toEqual({
    title: 'Internal error',
    status: 500,
    detail: 'The server failed; see its log.',
    code: 'internal',
  });
});

test('the log gets the cause, without the passwords in its URLs', () => {
  const cause = new Error('cannot open rtsp://user:secret@127.0.0.1/main');
  expect(describeCause(toHttpError(new StoreError('io', 'the disk failed', { cause })))).toBe(
    'StoreError: the disk failed (cannot open rtsp://***@127.0.0.1/main)',
  );
});

test("the framework's failures become ours, without its words", () => {
  const failure = toHttpError(Object.assign(new Error('Unsupported: <script>'), { statusCode: 415 }));
  expect(failure).toBeInstanceOf(HttpError);
  expect(failure.code).toBe('unsupported_media_type');
  expect(failure.message).not.toContain('<');
});

test("the store's failures keep their pointer", () => {
  const failure = toHttpError(new StoreError('invalid', 'expected a number', { pointer: '/a/0' }));
  expect(failure.toJSON()).toEqual({
    title: 'Invalid value',
    status: 400,
    detail: '/a/0: expected a number.',
    code: 'invalid_value',
    pointer: '/a/0',
  });
});
