const shortMax = 44;

/** The end of a path, which tells files apart: "…/cart/totals.ts". Short ones stay whole. */
export function shortPath(path: string): string {
  if (path.length <= shortMax) return path;
  const parts = path.split('/');
  let short = parts.pop()!;
  while (parts.length > 0 && short.length + parts.at(-1)!.length < shortMax - 2)
    short = `${parts.pop()}/${short}`;
  return parts.length > 0 ? `…/${short}` : short;
}

/** What a file, a folder or a glob is called where there is room for one name: "totals.ts", "sql/", "mail/**". */
export function baseOf(path: string): string {
  const parts = path.replace(/\/$/, '').split('/');
  const name = parts.at(-1) ?? path;
  const named = name.startsWith('*') && parts.length > 1 ? `${parts.at(-2)}/${name}` : name;
  return path.endsWith('/') ? `${named}/` : named;
}
