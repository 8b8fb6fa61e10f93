// Flags that many commands share: spread the definition into `flags`, and the type into the flags' type.

export interface JsonFlag {
  readonly json?: boolean;
}
export const jsonFlag = {
  json: toggle('Print one JSON value on stdout, and nothing else'),
};

export interface ProjectFlag extends JsonFlag {
  readonly project?: string;
}
export const projectFlag = {
  ...jsonFlag,
  project: text('name', 'The project (default: SWITCHYARD_PROJECT, or the only one there is)'),
};

export interface AgentFlag extends ProjectFlag {
  readonly agent?: string;
}
export const agentFlag = {
  ...projectFlag,
  agent: text('name', 'Who acts (default: SWITCHYARD_AGENT, or user@host)'),
};

/** A flag that is there or not. */
export function toggle(brief: string) {
  return { kind: 'boolean', optional: true, withNegated: false, brief } as const;
}

/** An optional flag with a value taken as it stands. */
export function text(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const;
}

/** What `--help` of a command says: one line for the list, how it is called, and examples that work. */
export function docs({
  brief,
  usage,
  examples,
  details,
}: {
  brief: string;
  /** Arguments, as in `ITEM [flags]`. */
  usage: string;
  /** Arguments, and what comes of them. */
  examples: readonly (readonly [input: string, brief: string])[];
  details?: string;
}) {
  return {
    brief,
    customUsage: [usage, ...examples.map(([input, does]) => ({ input, brief: does }))],
    fullDescription: details === undefined ? `${brief}.` : `${brief}.\n\n${details}`,
  };
}

/** An optional flag with a whole number. */
export function wholeNumber(placeholder: string, brief: string, min: number, max: number) {
  const parse = (input: string): number => {
    const value = Number(input);
    if (!/^\d+$/.test(input) || value < min || value > max)
      throw new Error(`not a whole number from ${min} to ${max}`);
    return value;
  };
  return { kind: 'parsed', parse, optional: true, placeholder, brief } as const;
}

/** An optional flag with a number, fractions allowed. */
export function decimal(placeholder: string, brief: string, min: number, max: number) {
  const parse = (input: string): number => {
    const value = Number(input);
    if (input.trim() === '' || !(value >= min && value <= max))
      throw new Error(`not a number from ${min} to ${max}`);
    return value;
  };
  return { kind: 'parsed', parse, optional: true, placeholder, brief } as const;
}

/** Positional arguments. */
export const itemArgument = {
  parse: String,
  placeholder: 'ITEM',
  brief: "Its number, as 31 or '#31', or its uuid",
} as const;
export const heldArgument = {
  parse: String,
  optional: true,
  placeholder: 'ITEM',
  brief: "Its number, as 31 or '#31', or its uuid (default: the one that this agent holds)",
} as const;
