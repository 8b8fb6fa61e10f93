import { createSubscriber } from 'svelte/reactivity';

/** An answer takes a moment: what is less than this apart is the same clock. */
const sameMs = 5_000;

let now = Date.now();
let aheadMs = $state.raw(0);
const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    now = Date.now();
    update();
  }, 1_000);
  return () => clearInterval(timer);
});

/** The hub says what time it is: this machine may have been told another. */
export function setHubTime(instant: string): void {
  const apartMs = Date.parse(instant) - Date.now();
  aheadMs = Math.abs(apartMs) < sameMs ? 0 : apartMs;
}

/** The hub's time in ms since the epoch; read in a template it goes on, once a second for all who read it. */
export function currentTime(): number {
  subscribe();
  return ($effect.tracking() ? now : Date.now()) + aheadMs;
}
