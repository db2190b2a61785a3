import { test } from 'vitest';
import { HouseModel } from '../support/house-model.ts';
import { seeded } from '../support/seeded.ts';

const steps = Number(process.env['STEPS'] ?? 8);
const seed = Number(process.env['SEED'] ?? 3);

test(
  'whatever happens, within five seconds every retained topic at the broker is right',
  async () => {
    const model = await HouseModel.start(seeded(seed));
    await model.check('the start');
    for (let n = 1; n <= steps; n += 1) {
      const what = await model.step();
      if (steps > 100) console.log(`${n}: ${what}`);
      await model.check(`step ${n}, ${what}`);
    }
  },
  60_000 + steps * 12_000,
);
