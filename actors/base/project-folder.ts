import { join } from 'node:path';

/** The clone that this program was built in: it runs from `dist/modules/`, as all commands besides the recorder do. */
export const projectFolder = join(import.meta.dirname, '../../../..');
