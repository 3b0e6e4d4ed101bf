/** A piece of HTML or SVG that is safe to be put into a page as it is. */
export class Html {
  readonly text: string;

  /** Only {@link html} makes these: whoever writes `text` answers for its being escaped. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text is escaped, pieces and lists of them are put in, and what is absent leaves nothing. */
export type Part = string | number | Html | readonly Part[] | false | undefined;

/**
 * A piece of HTML from a template. Everything put in is escaped for text and for attributes in double quotes; other
 * places, such as scripts and unquoted attributes, are not for things to be put in.
 */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(template.reduce((text, piece, index) => text + textOf(parts[index - 1]) + piece));
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return escape(String(part));
}

/** Characters that HTML does not know, and those that turn the direction of what follows them. */
const unfit = /[[\p{Cc}\u202a-\u202e\u2066-\u2069\ufffe\uffff]--[\t\n\r]]/gv;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(unfit, '\ufffd').replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
