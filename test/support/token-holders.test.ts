import { expect, test } from 'vitest';
import { wrongTokens } from './token-holders.ts';

const had = (machine: string, ...tokens: (number | null | 'stands in')[]) => ({
  machine,
  tenures: tokens.map((token) => ({
    ...{ monitorID: 'door', token: token === 'stands in' ? 5 : token, provisional: token === 'stands in' },
  })),
});

test('a token that two machines had is found, and an older one after a newer one', () => {
  expect(wrongTokens([had('a', 5, null, 9, 9), had('b', 'stands in', 6, null), had('c', 0)])).toEqual([]);
  expect(wrongTokens([had('a', 5), had('b', 6, 5)])).toEqual([
    'token 5 of door: a and b',
    'token 5 of door: b, after 6',
  ]);
});
