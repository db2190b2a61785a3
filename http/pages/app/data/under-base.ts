import { options, type VNode } from 'preact';

/**
 * The path below which a reverse proxy serves the recorder: the document names it if there is one. Everywhere else in the pages,
 * paths are those of the recorder itself, without it.
 */
const basePath = document.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? '';

/** @param path of the recorder, `/api/session`. @returns where this browser finds it; other addresses as they are. */
export const underBase = (path: string): string => (path.startsWith('/') ? basePath + path : path);

/** @param path as this browser sees it. @returns that of the recorder. */
export function withoutBase(path: string): string {
  // A proxy that takes the base path off is sometimes bypassed: then there is none.
  if (path === basePath) return '/';
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
}

/** Attributes whose value is an address. */
const addresses = ['href', 'src', 'poster'] as const;

/** Has links and pictures that name a path of the recorder lead below the base path. */
export function moveLinks(): void {
  if (basePath === '') return;
  const before = options.vnode;
  options.vnode = (node) => {
    if (typeof node.type === 'string') moveAddresses(node);
    before?.(node);
  };
}

function moveAddresses({ props }: VNode): void {
  const attributes = props as Record<string, unknown>;
  for (const name of addresses) {
    const value = attributes[name];
    if (typeof value === 'string') attributes[name] = underBase(value);
  }
}
