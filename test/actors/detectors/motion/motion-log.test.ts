import { expect, test } from 'vitest';
import { MotionLog } from '../../../../actors/detectors/motion/motion-log.ts';

const second = 1_000_000;

function logOf() {
  const entries: string[] = [];
  const level = (name: string) => (msg: string, monitorID?: string) => {
    entries.push(`${name} ${monitorID}: ${msg}`);
  };
  const log = {
    error: level('error'),
    warning: level('warning'),
    info: level('info'),
    debug: level('debug'),
  };
  return { entries, motion: new MotionLog(log, 'door') };
}

const zone = (score: number) => [{ label: 'zone0', score }];

test('each trigger is an entry at debug, begin and end of the motion are entries at info', () => {
  const { entries, motion } = logOf();
  motion.look(0, []);
  motion.look(5 * second, zone(12.34));
  motion.look(6 * second, [...zone(50), { label: 'zone2', score: 9 }]);
  // Ten seconds of quiet are not yet the end.
  motion.look(16 * second, []);
  motion.look(16 * second, zone(20));
  motion.look(26 * second + 1, []);
  motion.look(60 * second, []);
  expect(entries).toEqual([
    'info door: motion began: zone0, score 12.3',
    'debug door: motion: zone0, score 12.3',
    'debug door: motion: zone0, score 50.0; zone2, score 9.0',
    'debug door: motion: zone0, score 20.0',
    'info door: motion ended, it lasted 11.0 s',
  ]);
});

test('motion ends with its detector, and begins anew after a pause in which no frame came', () => {
  const { entries, motion } = logOf();
  motion.end();
  motion.look(0, zone(30));
  motion.look(60 * second, zone(40));
  motion.end();
  motion.end();
  expect(entries.filter((entry) => entry.startsWith('info'))).toEqual([
    'info door: motion began: zone0, score 30.0',
    'info door: motion ended, it lasted 0.0 s',
    'info door: motion began: zone0, score 40.0',
    'info door: motion ended, it lasted 0.0 s',
  ]);
});

test('motion that goes on while the clock is set back begins anew', () => {
  const { entries, motion } = logOf();
  motion.look(20 * second, zone(30));
  motion.look(23 * second, zone(30));
  motion.look(8 * second, zone(40));
  motion.look(9 * second, zone(40));
  motion.end();
  expect(entries.filter((entry) => entry.startsWith('info'))).toEqual([
    'info door: motion began: zone0, score 30.0',
    'info door: motion ended, it lasted 3.0 s',
    'info door: motion began: zone0, score 40.0',
    'info door: motion ended, it lasted 1.0 s',
  ]);
});
