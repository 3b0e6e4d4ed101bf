/** The parts of a JSON schema that the chart's values use. */
export interface ValuesSchema {
  readonly description?: string;
  readonly additionalProperties?: boolean | ValuesSchema;
  readonly properties?: Readonly<Record<string, ValuesSchema>>;
}

/** Paths (`image.tag`) of the values that have no parts of their own. */
export function leavesOf(schema: ValuesSchema): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) =>
    value.properties === undefined ? [name] : leavesOf(value).map((leaf) => `${name}.${leaf}`),
  );
}

/** Paths of the values that nothing is said of, and of those that let through what is not known. */
export function undescribed(schema: ValuesSchema, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const isOpen = value.properties !== undefined && value.additionalProperties !== false;
    const own = value.description === undefined || isOpen ? [`${path}${name}`] : [];
    return [...own, ...undescribed(value, `${path}${name}.`)];
  });
}
