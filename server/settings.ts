/** How this hub keeps time, in seconds; fractions are allowed. */
export interface Timing {
  leaseSeconds: number;
  heartbeatSeconds: number;
  graceSeconds: number;
}
