/** A file that is no backlog, or not one that can be read. Its message is for whoever chose the file: what to do. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}
