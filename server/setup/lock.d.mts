export function tryLock(path: string): { release: () => void } | { heldBy: number };
