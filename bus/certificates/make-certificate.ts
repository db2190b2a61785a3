import { fileURLToPath } from 'node:url';
import { hostEnvironment } from '../children/host-process.ts';
import { askProcess } from '../children/one-answer-process.ts';
import type { CertificateOrder, CertificateReport } from './certificate-order.ts';

/** On a slow machine that starts sixteen cameras it takes seconds; a recorder that is to stop may have to wait for it. */
const deadlineMs = 20_000;
const host = fileURLToPath(new URL('./certificate-process.js', import.meta.url));

/**
 * Makes a certificate in a process of its own: what does it is as large as a web server, and is needed once.
 *
 * @throws when the process ends without one.
 */
export async function makeCertificate(order: CertificateOrder): Promise<CertificateReport> {
  const { answer, end } = await askProcess<CertificateOrder, CertificateReport>(order, {
    ...{ host, deadlineMs, env: hostEnvironment() },
    signal: new AbortController().signal,
  });
  if (answer) return answer;
  const { how, lastLine } = end;
  throw new Error(`no certificate was made: its process ${how}${lastLine && `: ${lastLine}`}`);
}
