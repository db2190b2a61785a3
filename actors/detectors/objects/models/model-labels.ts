import { ModelError } from '../files/model-error.ts';

const maxLength = 64;

/**
 * Parses a list of labels, one per line, each after its class number or, without one, counted from `first`.
 *
 * @returns class number → label in lower case.
 * @throws {ModelError}
 */
export function readModelLabels(name: string, text: string, first: number): Map<number, string> {
  const labels = new Map<number, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const { number, label = '' } =
      /^\s*(?:(?<number>\d{1,5})[\s:,]+)?(?<label>.*?)\s*$/u.exec(line)?.groups ?? {};
    if (label === '') continue;
    if (label.length > maxLength || !/^[\p{L}\p{N} _-]+$/u.test(label)) {
      throw new ModelError(`${name}: line ${index + 1} of the labels is not a label`);
    }
    labels.set(number === undefined ? first + index : Number(number), label.toLowerCase());
  }
  if (labels.size === 0) throw new ModelError(`${name}: there are no labels`);
  return labels;
}
