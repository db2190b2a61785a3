import { getJson } from '../../data/request.ts';

/** An answer of `/api/recording/query`. Times are Unix times in microseconds. */
export interface RecordedFile {
  readonly id: string;
  readonly monitorID: string;
  readonly state: 'recording' | 'saved' | 'lost';
  readonly start: number;
  /** Null while it is written. */
  readonly end: number | null;
  readonly bytes: number | null;
  readonly video: { readonly codec: string; readonly width: number; readonly height: number } | null;
  readonly audio: string | null;
  readonly reason: string;
  /** Null while its machine does not say so. */
  readonly protected: boolean | null;
  /** Where several machines are one system: the one that has it, and whether it is not heard. */
  readonly machine?: string;
  readonly away?: boolean;
}

/** Recordings may begin so long before what they are asked for. */
const longestRecordingUs = 2 * 86_400e6;

/** The recordings of a monitor that show this time or later ones, oldest first. @throws {RequestFailure} */
export function filesFrom(
  monitorID: string,
  time: number,
  limit: number,
  signal?: AbortSignal,
): Promise<RecordedFile[]> {
  const earliest = new Date((time - longestRecordingUs) / 1000).toISOString().slice(0, 19);
  const after = `${earliest.replace('T', '_').replaceAll(':', '-')}_0`;
  const query = `monitors=${monitorID}&start=${Math.floor(time)}&after=${after}&limit=${limit}`;
  return getJson<RecordedFile[]>(`/api/recording/query?${query}`, signal);
}

/** The recording of a monitor at this time, if there is one. @throws {RequestFailure} */
export async function fileAt(
  monitorID: string,
  time: number,
  signal?: AbortSignal,
): Promise<RecordedFile | undefined> {
  const start = Math.floor(time);
  const query = `monitors=${monitorID}&start=${start}&end=${start + 1}&limit=1`;
  const [file] = await getJson<RecordedFile[]>(`/api/recording/query?${query}`, signal);
  return file;
}

/** A picture of a recording; the first, or that of a Unix time in microseconds. */
export function pictureAddress(recordingID: string, time?: number): string {
  const query = time === undefined ? '' : `?time=${Math.round(time)}`;
  return `/api/recording/${recordingID}/thumbnail.jpeg${query}`;
}
