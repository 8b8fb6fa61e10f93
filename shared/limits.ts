/** Every bound of the wire, in one place. Counts are entries, lengths are characters (Unicode code points), of a path UTF-16 code units. */
export const limits = {
  titleLength: 500,
  longTextLength: 50_000,
  noteLength: 500,
  labelLength: 200,
  slugLength: 50,
  projectNameLength: 100,
  agentIdLength: 255,
  requestIdLength: 200,
  pathLength: 1_024,
  filesPlanned: 1_000,
  filesModified: 10_000,
  dependencies: 1_000,
  itemsPerCreate: 1_000,
  taskTypes: 50,
  metadataBytes: 64 * 1024,
  jsonDepth: 32,
  searchLength: 200,
  /** Items that a filter names by their numbers. */
  itemNumbers: 10_000,
  listDefault: 100,
  listMax: 500,
  /** Items of one `item.graph`, and how many steps it goes at most unless it goes all the way. */
  graphMax: 300,
  graphDepthMax: 10,
  eventsDefault: 200,
  eventsMax: 1_000,
  /** Lines of a log that one call looks through for those that fit a filter. */
  eventsScanMax: 50_000,
  priorityMax: 9,
  attemptsMax: 100,
  capacityMax: 1_000,
  claimLeaseSecondsDefault: 300,
  claimLeaseSecondsMax: 86_400,
  heartbeatClaims: 1_000,
  /** Claims lost in a row to lease expiry; one more and the item fails. */
  lostInARowMax: 5,
  retryDelayMsMin: 1_000,
  retryDelayMsMax: 300_000,
  /** Bytes of one message or body; a bulk create may be larger. */
  messageBytes: 64 * 1024,
  bulkMessageBytes: 1024 * 1024,
  /** The first window of `project.watch`: of each status but claimed and failed, which come whole. */
  watchWindow: 200,
} as const;
