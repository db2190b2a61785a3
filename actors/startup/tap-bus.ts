import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BusAddress } from '../../bus/nats/bus-address.ts';
import { readBusAddress } from '../../bus/nats/bus-address-file.ts';
import { openTap } from '../../bus/nats/bus-tap.ts';
import { type Config, loadConfig } from '../../store/config/config.ts';
import { defaultConfigFile } from '../../store/config/default-config.ts';
import { detectors } from '../detectors/host/detector-list.ts';

const usage = `usage: npm run tap -- [--config FILE] SUBJECT

Shows what travels on the bus of the recorder that runs with this configuration, a line for each message:

  'events.>'  what was detected      'objects.>'  what is followed       'status.*'   what monitors do
  'logs.>'    the log                'command.>'  between processes      'frames.>'   frames, by size
  '>'         everything

It works for the user that the recorder runs as, because only that user can read the bus's token.`;

/**
 * Prints messages until Ctrl-C, or until the recorder ends.
 *
 * @param args the command line after the program's name.
 * @returns the exit code: 0 when it was ended by the user, 1 otherwise.
 */
export async function tapBus(args: readonly string[]): Promise<number> {
  try {
    const { file, subject } = read(args);
    const { config } = await loadConfig(file, { create: false, detectors });
    let hidden = 0;
    const tap = await openTap(await addressOf(config), subject, (line) => {
      // A terminal that is slower than the bus misses lines, and says so.
      if (process.stdout.writableNeedDrain) hidden += 1;
      else process.stdout.write(`${new Date().toISOString().slice(11, -1)} ${line}\n`);
    });
    process.stderr.write(`Watching ${subject} on the bus; Ctrl-C ends\n`);
    process.stdout.on('drain', () => {
      if (hidden > 0) process.stdout.write(`(${hidden} messages were not shown)\n`);
      hidden = 0;
    });
    let isAsked = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        isAsked = true;
        void tap.close();
      });
    }
    await tap.ended;
    if (isAsked) return 0;
    throw new Error('the bus is gone: the recorder has ended');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
}

function read(args: readonly string[]): { file: string; subject: string } {
  try {
    const options = { config: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [subject, ...others] = positionals;
    if (subject === undefined || others.length > 0) throw new Error('expected one SUBJECT');
    return { file: values.config ?? defaultConfigFile, subject };
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

/** @throws when there is no recorder whose bus this user may see. */
async function addressOf({ bus, storageDir }: Config): Promise<BusAddress> {
  if (bus.servers.length > 0) return bus;
  const address = await readBusAddress(join(storageDir, 'bus'));
  if (address) return address;
  throw new Error(`no recorder of this user runs with the storage folder ${storageDir}`);
}
