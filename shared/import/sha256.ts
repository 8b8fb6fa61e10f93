import { sha256 as digest } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** The SHA-256 of a text's UTF-8, in hex. A browser's own is asynchronous, and missing over plain HTTP. */
export const sha256 = (text: string): string => bytesToHex(digest(utf8ToBytes(text)));
