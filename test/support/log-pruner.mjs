import process from 'node:process';

/**
 * Appends numbered entries as fast as it can to the table in a file, while the oldest go and the file is compacted
 * again and again; until it is killed.
 *
 * Arguments: the database's file.
 */
/** From the build: Node cannot run TypeScript. @param {string} file */
const load = (file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const { LogDatabase } = await load('store/log/worker/log-database.js');
const { table } = await LogDatabase.open(process.argv[2]);
const position = await table.writer.position();
let number = position.sequence;
console.log('ready');

async function letGo() {
  for (;;) {
    await table.retention.prune(number - 50_000, 4e6);
    // The file is half empty, whatever is in it.
    await table.retention.tend(1e6);
  }
}
void letGo();

for (;;) {
  const entries = Array.from({ length: 500 }, () => {
    number += 1;
    const msg = `${number} ${Math.random()} ${Math.random()} ${Math.random()}`;
    return { level: 'info', time: number, msg, src: 'app', monitorID: '' };
  });
  await table.writer.append(entries, { stream: 's', sequence: number, time: number, readAt: 0 });
}
