import type { ClientInit } from '@sveltejs/kit/hooks';
import { enterByAddress } from '#lib/session.svelte.ts';

/** Before the router reads the address, so that a token in it never becomes a history entry. */
export const init: ClientInit = enterByAddress;
