import { expect, test } from 'vitest';
import { OpenLimit } from '../../../http/recordings/open-limit.ts';

test('one account has at most half of all, and what it has left counts once', () => {
  const limit = new OpenLimit(4);
  const [first] = [limit.enter('anna'), limit.enter('anna')];
  expect(() => limit.enter('anna')).toThrow('Too many downloads');
  limit.enter('bob');
  first?.();
  first?.();
  limit.enter('anna');
  expect(() => limit.enter('anna')).toThrow('Too many downloads');
  limit.enter('bob');
  expect(() => limit.enter('carl')).toThrow('Too many downloads');
});

test('where nobody logs in, everybody together has all', () => {
  const limit = new OpenLimit(4);
  for (let n = 0; n < 4; n += 1) limit.enter('');
  expect(() => limit.enter('')).toThrow('Too many downloads');
});
