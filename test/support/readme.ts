import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { project } from './project.ts';

/**
 * Expects what stands between `<!-- name -->` and `<!-- /name -->` in a README to be what the code says. With
 * `UPDATE_README=1` in the environment it is written there instead.
 */
export function expectInReadme(readme: string, name: string, content: string): void {
  const file = join(project, readme);
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  expect(from >= begin.length && to >= from, `${readme} has no part ${name}`).toBe(true);
  if (process.env['UPDATE_README'] === '1') {
    writeFileSync(file, text.slice(0, from) + content + text.slice(to));
  } else {
    expect(text.slice(from, to), `run this test with UPDATE_README=1 to write ${readme} anew`).toBe(content);
  }
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
