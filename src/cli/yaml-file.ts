import { type Document, isCollection, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Tags } from 'yaml';

/** Where something stands in a file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

export interface YamlDocument {
  /** Its content as JSON; undefined if there are errors. */
  value: unknown;
  /** Why it is not YAML. */
  errors: (Position & { message: string })[];
  /** Where the field at this path stands, or the nearest field around it that is there. */
  position(path: readonly (string | number)[]): Position;
}

/**
 * The documents of a YAML (or JSON) text, read as kubectl reads them: YAML 1.1, so that `no` and `on` are booleans, but
 * dates and 12:30:45 are text. Empty documents are left out.
 */
export function readYaml(text: string): YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, version: '1.1', customTags: withoutTimes });
  const documents: Document[] = 'empty' in parsed ? [] : parsed;
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  return documents
    .filter(
      ({ contents, errors }) =>
        errors.length > 0 || (contents !== null && !(isScalar(contents) && contents.value === null)),
    )
    .map((document) => {
      const errors = document.errors.map((error) => ({
        ...position(error.pos[0]),
        message: `not YAML: ${error.message.split(/ at line \d|\n/)[0]}`,
      }));
      let value: unknown;
      try {
        if (errors.length === 0) value = document.toJS();
      } catch (error) {
        // Aliases that name no anchor, or that multiply beyond reason.
        errors.push({
          ...position(offsetOf(document, [])),
          message: `not YAML: ${error instanceof Error ? error.message : String(error)}`,
        });
      }
      return { value, errors, position: (path) => position(offsetOf(document, path)) };
    });
}

function withoutTimes(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && tag.tag !== 'tag:yaml.org,2002:timestamp'),
  );
}

function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === step);
      if (!pair) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (isCollection(node) || isScalar(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
