import process from 'node:process';

/**
 * Appends numbered entries as fast as it can to the database in a file, while the oldest go and the file is compacted
 * again and again; until it is killed.
 *
 * Arguments: the database's file.
 */
/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/modules/${file}`, import.meta.url).href);
const { LogDatabase } = await load('store/log/worker/log-database.js');
const { database } = await LogDatabase.open(process.argv[2]);
const position = await database.positions.read('LOGS');
let number = position.sequence;
console.log('ready');

async function letGo() {
  for (;;) {
    await database.retention.prune(number - 50_000, 4e6);
    // The file is half empty, whatever is in it.
    await database.retention.tend(1e6);
  }
}
void letGo();

for (;;) {
  const entries = Array.from({ length: 500 }, () => {
    number += 1;
    const msg = `${number} ${Math.random()} ${Math.random()} ${Math.random()}`;
    return { level: 'info', time: number, msg, src: 'app', monitorID: '' };
  });
  await database.writer.append(entries, { identity: 's', sequence: number, time: number, readAt: 0 });
}
