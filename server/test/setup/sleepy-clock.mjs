// Loaded before a program: while it is stopped its own clock stands still, as a machine's does while that sleeps.
const running = performance.now.bind(performance);
const stepMsMax = 200;
let seen = running();
let now = seen;

performance.now = () => {
  const at = running();
  now += Math.min(at - seen, stepMsMax);
  seen = at;
  return now;
};
setInterval(() => performance.now(), stepMsMax / 4).unref();
