import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase } from 'vitest/node';
import { project } from './project.ts';

/**
 * Lists the tests that passed at a second attempt only, with what failed the first one, on the terminal and in
 * `test/.cache/retried.json`, which `.ci/run` reads.
 */
export default class RetryReporter implements Reporter {
  readonly #retried: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const attempts = test.diagnostic()?.retryCount ?? 0;
    const { state, errors } = test.result();
    if (attempts === 0 || state !== 'passed') return;
    const { relativeModuleId } = test.module;
    const [error] = errors ?? [];
    const line = error?.stacks?.find(({ file }) => file.endsWith(relativeModuleId))?.line;
    const cause = error?.message.split('\n').slice(0, 3).join(' ') ?? 'no error';
    this.#retried.push(`${relativeModuleId}: ${test.fullName}\n    ${cause} (line ${line ?? 'unknown'})`);
  }

  onTestRunEnd(): void {
    mkdirSync(join(project, 'test/.cache'), { recursive: true });
    writeFileSync(join(project, 'test/.cache/retried.json'), JSON.stringify(this.#retried));
    if (this.#retried.length === 0) return;
    process.stdout.write(
      `\n Passed at a second attempt:\n${this.#retried.map((name) => `  ${name}\n`).join('')}`,
    );
  }
}
