// Loaded before a program: its clock is off by CLOCK_OFF_BY_SECONDS. What measures durations is not.
const RightDate = Date;
const offMs = Number(process.env.CLOCK_OFF_BY_SECONDS) * 1_000;

globalThis.Date = class extends RightDate {
  constructor(...given) {
    if (given.length === 0) super(RightDate.now() + offMs);
    else super(...given);
  }

  static now() {
    return RightDate.now() + offMs;
  }
};
