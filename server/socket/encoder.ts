import * as parser from 'socket.io-parser';
import { stringify } from '../json.ts';

/** Socket.IO's packets, with JSON text in them passed on as it is. We send nothing binary, so nobody looks for it. */
class Encoder extends parser.Encoder {
  override encode(packet: parser.Packet): string[] {
    const { type, nsp, id } = packet;
    const plainly = type === parser.PacketType.EVENT || type === parser.PacketType.ACK;
    if (!plainly || nsp !== '/') return super.encode(packet) as string[];
    return [`${type}${id ?? ''}${stringify(packet.data)}`];
  }
}

export const packets = { Encoder, Decoder: parser.Decoder };
