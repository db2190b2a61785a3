import { StoreError } from './store-error.ts';
import { escapeToken } from './validator.ts';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

const maxDepth = 32;

/**
 * Copies `value` and verifies that it is pure JSON: without getters, cycles, numbers that JSON turns into null,
 * nesting deeper than 32 levels, or a key that would change an object's prototype.
 *
 * @throws {StoreError} `invalid`
 */
export function plainJson(value: unknown, pointer = '', depth = 0): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw new StoreError('invalid', 'expected JSON', { pointer });
  if (depth === maxDepth)
    throw new StoreError('invalid', `nested more than ${maxDepth} levels deep`, { pointer });
  if (Array.isArray(value)) return value.map((item, k) => plainJson(item, `${pointer}/${k}`, depth + 1));
  const members: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    const at = `${pointer}/${escapeToken(key)}`;
    if (key === '__proto__') throw new StoreError('invalid', 'this key is not allowed', { pointer: at });
    if (item !== undefined) members.push([key, plainJson(item, at, depth + 1)]);
  }
  return Object.fromEntries(members);
}

/** @returns a copy of `value` in which every string is replaced by the result of `change`. */
export function mapStrings(
  value: Json,
  change: (text: string, pointer: string) => string,
  pointer = '',
): Json {
  if (typeof value === 'string') return change(value, pointer);
  if (Array.isArray(value)) return value.map((item, k) => mapStrings(item, change, `${pointer}/${k}`));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, item]): [string, Json] => [
    key,
    mapStrings(item, change, `${pointer}/${escapeToken(key)}`),
  ]);
  return Object.fromEntries(members);
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Freezes `value` and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
