import type { CatalogueProgress } from '../../store/recordings/verification/catalogue-rebuild.ts';
import type { SiteServices } from './site-catalogue.ts';

type Headers = Readonly<Record<string, string>>;

const name = 'X-Catalogue-Incomplete';

/** Of answers that are made from the catalogue. */
export const incompleteText = `While the catalogue may not have all recordings of the folder, the header \`${name}\` says how far it is: \`checking\`, or \`rebuilding; added=1200; missing=200000\`, of the monitors that are asked for and that the account may see. Where several machines have a part in the answer, it is a list of what each says: \`checking, rebuilding; added=1; missing=7\`.`;

/** Says that an answer may be incomplete, while it may be. */
export function incompleteHeader({ state, added, missing }: CatalogueProgress): Headers {
  if (state === 'complete') return {};
  return { [name]: state === 'checking' ? state : `${state}; added=${added}; missing=${missing}` };
}

interface ListServices extends Pick<SiteServices, 'siteCatalogue'> {
  readonly catalogueProgress: (maySee: (monitorID: string) => boolean) => CatalogueProgress;
}

/** Of whom a list is for. */
interface ListCaller {
  maySee(monitorID: string): boolean;
  readonly monitors: readonly string[] | undefined;
}

/** The same of a list of what all machines have. */
export async function incompleteList(
  { catalogueProgress, siteCatalogue }: ListServices,
  caller: ListCaller,
): Promise<Headers> {
  const own = incompleteHeader(catalogueProgress((id) => caller.maySee(id)));
  return siteCatalogue ? joinIncomplete([own, ...(await siteCatalogue.progress(caller.monitors))]) : own;
}

/** The same of an answer that is made of several machines' answers, from their headers. */
export function joinIncomplete(answers: readonly (Headers | undefined)[]): Headers {
  // Those of other machines come in small letters.
  const said = new Set(answers.flatMap((headers) => headers?.[name] ?? headers?.[name.toLowerCase()] ?? []));
  return said.size === 0 ? {} : { [name]: [...said].join(', ') };
}
