import { createSubscriber } from 'svelte/reactivity';

let now = Date.now();
const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    now = Date.now();
    update();
  }, 1_000);
  return () => clearInterval(timer);
});

/** The time in ms since the epoch; read in a template it goes on, once a second for all who read it. */
export function currentTime(): number {
  subscribe();
  return $effect.tracking() ? now : Date.now();
}
