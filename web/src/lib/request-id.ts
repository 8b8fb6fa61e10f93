import { HubError } from '#lib/api.ts';

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

  /** Sends what was typed, by the id that is right for it. */
  async send<I extends object, A>(
    input: I,
    command: (input: I & { request_id: string }) => Promise<A>,
  ): Promise<A> {
    const words = JSON.stringify(input);
    if (words !== this.#words) this.#id = newRequestId();
    this.#words = words;
    try {
      const answer = await command({ ...input, request_id: this.#id });
      this.#words = '';
      return answer;
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'UNAVAILABLE') this.#words = '';
      throw error;
    }
  }
}
