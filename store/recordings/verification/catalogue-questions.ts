import type { CatalogueQuestion, ListedRecording } from '../../../bus/messages.ts';
import type { Bus } from '../../../bus/nats/bus.ts';
import { questions } from '../../../bus/subjects.ts';
import type { CatalogueEntry, RecordingFilter } from '../../log/catalogue/recording-catalogue.ts';

/** The catalogue as another program reads it, while the recorder has the database's file. */

export type AskCatalogue = (question: CatalogueQuestion) => Promise<readonly ListedRecording[]>;

/** Answers such questions in the recorder. @returns ends it. */
export function answerCatalogue(
  bus: Bus,
  catalogue: { recordings(filter: RecordingFilter): Promise<CatalogueEntry[]> },
): () => void {
  return bus.answer(questions.catalogue, async (question) => {
    const found = await catalogue.recordings({ ...question, oldestFirst: true });
    return { recordings: found.map(listed) };
  });
}

/** Asks the recorder. @throws when none answers. */
export const askOverBus =
  (bus: Bus): AskCatalogue =>
  async (question) =>
    (await bus.ask(questions.catalogue, question)).recordings;

/** Asks a copy in memory. @param entries in the order of their ids. */
export function askEntries(entries: readonly CatalogueEntry[]): AskCatalogue {
  const recordings = entries.map(listed);
  return async ({ id, after, limit }) => {
    if (id !== undefined) return recordings.filter((one) => one.id === id);
    const from = after === undefined ? 0 : recordings.findIndex((one) => one.id > after);
    return from < 0 ? [] : recordings.slice(from, from + limit);
  };
}

const listed = ({ id, start, end, bytes }: CatalogueEntry): ListedRecording => ({ id, start, end, bytes });
