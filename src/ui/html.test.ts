import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from './html.ts';

test('what is put into a template is escaped, for text and for attributes', () => {
  const evil = `"><script>alert('1 & 2')</script>`;
  const { text } = html`<p title="${evil}">${evil}</p>`;
  const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1 &amp; 2&#39;)&lt;/script&gt;';
  assert.equal(text, `<p title="${escaped}">${escaped}</p>`);
});

test('pieces, and lists of them, are put in as they are', () => {
  assert.equal(html`<b>${['a', 'b'].map((each) => html`<i>${each}</i>`)}</b>`.text, '<b><i>a</i><i>b</i></b>');
});

test('what is absent leaves nothing, and zero is not absent', () => {
  assert.equal(html`[${undefined}${false}${0}${''}]`.text, '[0]');
});

test('characters that are none, or that turn the text round, are shown as unknown', () => {
  assert.equal(html`${'a\u0000b\u202ec\u0085d\te\nf'}`.text, 'a\ufffdb\ufffdc\ufffdd\te\nf');
});

test('no text whatever can end the place it is put in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(html`${text}`.text, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    }),
  );
});
