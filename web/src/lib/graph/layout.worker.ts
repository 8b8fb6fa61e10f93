// Three hundred cards take some hundred milliseconds: here, so that the page never stands still.
import { layOut, type LayoutRequest } from './layout.ts';

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => postMessage(layOut(data)));
