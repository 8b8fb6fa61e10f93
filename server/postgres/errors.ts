/** The embedded PostgreSQL cannot serve. The message is for people: what is wrong, and what to do about it. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}
