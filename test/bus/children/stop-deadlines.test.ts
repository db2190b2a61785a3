import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type StopStage,
  type StopStep,
  stopDeadlinesMs,
  stopStages,
} from '../../../bus/children/stop-deadlines.ts';
import { project } from '../../support/project.ts';
import { expectInReadme } from '../../support/readme.ts';

test.each(stopStages)(
  'the steps inside of a stop take less than the whole: $whole',
  ({ whole, parts, atOnce }) => {
    const ms = parts.map((part) => stopDeadlinesMs[part]);
    const longestMs = atOnce ? Math.max(...ms) : ms.reduce((sum, each) => sum + each, 0);
    expect(longestMs).toBeLessThan(stopDeadlinesMs[whole]);
  },
);

test('every step of a stop is a part of the whole', () => {
  const reached = (step: StopStep): StopStep[] => [
    step,
    ...stopStages.filter(({ whole }) => whole === step).flatMap(({ parts }) => parts.flatMap(reached)),
  ];
  expect(reached('recorder').sort()).toEqual(Object.keys(stopDeadlinesMs).sort());
});

test('every deadline of a stop is kept by the code', () => {
  const sources = execFileSync('git', ['ls-files', '*.ts', ':!test'], { cwd: project, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && !file.endsWith('stop-deadlines.ts'))
    .map((file) => readFileSync(join(project, file), 'utf8'))
    .join('\n');
  const unused = Object.keys(stopDeadlinesMs).filter(
    (step) => !new RegExp(`stopDeadlinesMs\\.${step}\\b|[wW]ithin\\(\\s*'${step}'`).test(sources),
  );
  // Each of the services keeps its own.
  expect(unused).toEqual(['services']);
});

test('the README shows the deadlines of a stop', () => {
  const name = (step: StopStep) => `${step} ${stopDeadlinesMs[step] / 1000} s`;
  const line = ({ whole, parts, atOnce }: StopStage) =>
    `${parts.map(name).join(atOnce ? ' | ' : ' + ')} < ${name(whole)}`;
  expectInReadme('actors/README.md', 'stop deadlines', ['```', ...stopStages.map(line), '```'].join('\n'));
});
