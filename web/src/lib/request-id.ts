/** A name for a request, never used before. `crypto.randomUUID` would be missing where the hub is reached over plain HTTP. */
export const newRequestId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * The request id of a form: the same as long as the hub gave no answer to these very words, so that sending them
 * again after a lost connection makes nothing twice; a new one after every answer, and for other words.
 */
export class RequestIds {
  #words = '';
  #id = newRequestId();

  for(input: unknown): string {
    const words = JSON.stringify(input);
    if (words !== this.#words) this.answered();
    this.#words = words;
    return this.#id;
  }

  answered(): void {
    this.#id = newRequestId();
  }
}
