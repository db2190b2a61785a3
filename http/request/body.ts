import { HttpError } from './http-error.ts';

export const bodyLimit = 2_000_000;
/** Of routes without login. Fits a user name and a password of 1024 characters in any way of writing them. */
export const publicBodyLimit = 16_000;
/** Levels. Far deeper than any configuration, and far below the depth at which recursion overflows the stack. */
const maxDepth = 64;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a request's body. The content type of an empty body is ignored: clients send one out of habit.
 *
 * @param type the `Content-Type` header.
 * @returns undefined if the body is empty.
 * @throws {HttpError} `unsupported_media_type`, `malformed_json`
 */
export function readBody(type: string | undefined, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (type?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw new HttpError('unsupported_media_type', 'Send the body as application/json.');
  }
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    // The parser's own message is left out because it quotes the body.
    throw new HttpError('malformed_json', 'The body is not JSON in UTF-8.', { cause });
  }
  checkNesting(value);
  return value;
}

/** @throws {HttpError} if the value is nested too deeply or would change an object's prototype when copied. */
function checkNesting(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth)
      throw new HttpError('malformed_json', `The body is nested more than ${maxDepth} levels deep.`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      if (Object.hasOwn(item, '__proto__')) {
        throw new HttpError('malformed_json', 'The body has a key __proto__.');
      }
      for (const member of Object.values(item)) next.push(member);
    }
    level = next;
  }
}
