import { randomInt } from 'node:crypto';

const lettersAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Makes an unguessable text. 32 letters and digits hold 190 bits, enough for a token; 22 hold 130, enough for an id.
 *
 * @param alphabet the characters to choose from; each is equally likely.
 */
export function randomText(length: number, alphabet = lettersAndDigits): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}
