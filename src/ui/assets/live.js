// Brings the page up to date while somebody looks at it: one request at a time, answered by 304 while nothing changes.
const everyMs = 2000;
const slowestMs = 30_000;

let version = '';
let failures = 0;
let isAsking = false;
/** @type {number | undefined} */
let timer;

/**
 * Makes `old` like `fresh` in place, so that focus, selection, open details and running transitions stay.
 * @param {Node} old
 * @param {Node} fresh
 */
function bring(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.parentNode?.replaceChild(document.importNode(fresh, true), old);
    return;
  }
  if (old instanceof Element && fresh instanceof Element) bringAttributes(old, fresh);
  else if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
  const before = Array.from(old.childNodes);
  const after = Array.from(fresh.childNodes);
  for (const [index, child] of after.entries()) {
    const there = before[index];
    if (there) bring(there, child);
    else old.appendChild(document.importNode(child, true));
  }
  for (const gone of before.slice(after.length)) gone.remove();
}

/**
 * @param {Element} old
 * @param {Element} fresh
 */
function bringAttributes(old, fresh) {
  for (const name of old.getAttributeNames()) {
    const isOpened = old instanceof HTMLDetailsElement && name === 'open';
    if (!fresh.hasAttribute(name) && !isOpened) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/**
 * @param {string} state
 * @param {string} text
 */
function say(state, text) {
  const live = document.querySelector('.live');
  if (!live || live.textContent === text) return;
  live.setAttribute('data-state', state);
  live.textContent = text;
}

async function look() {
  const headers = new Headers(version === '' ? {} : { 'if-none-match': version });
  const answer = await fetch(location.pathname, { headers, cache: 'no-store', redirect: 'error' });
  if (answer.status === 304) return;
  const text = await answer.text();
  if (!answer.headers.get('content-type')?.startsWith('text/html')) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  document.title = fresh.title;
  for (const part of ['.leader', 'main']) {
    const [there, wanted] = [document.querySelector(part), fresh.querySelector(part)];
    if (there && wanted) bring(there, wanted);
  }
  version = answer.headers.get('etag') ?? '';
}

async function follow() {
  clearTimeout(timer);
  if (document.hidden || isAsking) return;
  isAsking = true;
  try {
    await look();
    failures = 0;
    say('on', 'Live');
  } catch {
    failures += 1;
    say('off', 'The controller does not answer. This is what it told last.');
  }
  isAsking = false;
  timer = setTimeout(() => void follow(), Math.min(slowestMs, everyMs * 2 ** failures));
}

document.addEventListener('visibilitychange', () => void follow());
void follow();
