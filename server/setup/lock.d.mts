export function tryLock(path: string): { release(): void } | { heldBy: number };
export function lockHolder(path: string): number | undefined;
