import { test } from 'vitest';
import { detectorMachine } from '../../../actors/machines/detector.ts';
import { detectorHostMachine } from '../../../actors/machines/detector-host.ts';
import { monitorMachine } from '../../../actors/machines/monitor.ts';
import { systemMachine } from '../../../actors/machines/system.ts';
import { expectInReadme } from '../../support/readme.ts';
import { stateChart } from '../../support/state-chart.ts';

const machines = [systemMachine, monitorMachine, detectorMachine, detectorHostMachine];

test.each(machines)('the README draws the machine $id as it is', (machine) => {
  expectInReadme('actors/README.md', `${machine.id} chart`, stateChart(machine));
});
