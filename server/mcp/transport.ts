import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';

/** The SDK's transport, which also says whether an answer still found a connection to go out on. */
export class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  onanswered: (id: RequestId, sent: boolean) => void = () => {};

  override async send(message: JSONRPCMessage, options?: { relatedRequestId?: RequestId }): Promise<void> {
    const answers = 'method' in message ? undefined : message.id;
    try {
      await super.send(message, options);
    } catch (error) {
      if (answers !== undefined) this.onanswered(answers, false);
      throw error;
    }
    if (answers !== undefined) this.onanswered(answers, true);
  }
}
