/** Control characters, for {@link character}. */
export const controls = '\\u0000-\\u001f\\u007f-\\u009f';

/**
 * One character of well-formed text, for regular expressions with and without the flag `u`: not every validator of our
 * schemas sets it, and `\p{…}` means other things without it.
 *
 * @param except what may stand between the brackets of a character class.
 */
export const character = (except = ''): string =>
  `(?:[^${except}\\uD800-\\uDFFF]|[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])`;
