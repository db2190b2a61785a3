import { readFileSync } from 'node:fs';
import process from 'node:process';

/**
 * Asks a log's file one question, as often as it is told, and prints what its process takes more after all but the first
 * thousand: bytes. Arguments: the file, how often, and whether the notes on buffers are freed as they are in a recorder.
 */
/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/modules/store/log/worker/${file}`, import.meta.url).href);
const { LogDatabase } = await load('log-database.js');
const { AnswerMemory } = await load('answer-memory.js');

const [file = '', times = '', isFreed = ''] = process.argv.slice(2);
const { database } = await LogDatabase.open(file);
const answers = new AnswerMemory();

const bytesNow = () => {
  for (let n = 0; n < 32; n += 1) answers.free();
  const [, kilobytes] = /^Pss_Anon: +(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8')) ?? [];
  return 1024 * Number(kilobytes);
};
let begun = 0;
for (let n = 0; n < Number(times); n += 1) {
  if (n === 1000) begun = bytesNow();
  await database.usage.answer({ kind: 'days' });
  answers.answered();
  if (isFreed === 'yes') database.buffers.answered();
}
console.log(String(bytesNow() - begun));
await database.close();
