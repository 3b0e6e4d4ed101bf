import { html, type Html } from './html.ts';
import type { NodeState } from './node-view.ts';

/** The states in words, in the order in which a legend has them. */
export const stateWords: Readonly<Record<NodeState, string>> = {
  up: 'up',
  starting: 'starting',
  joining: 'joining',
  leaving: 'leaving',
  down: 'down',
  planned: 'planned',
  unknown: 'not known',
};

/**
 * The sign of a node around the origin. Each state has a shape of its own, beside its colour: whoever sees no colours sees
 * the same.
 */
export function nodeSign(state: NodeState, isSeed: boolean, radius: number): Html {
  const halo = isSeed && html`<circle class="seed" r="${fixed(radius * 1.42)}" />`;
  return html`<g class="node ${state}">${halo}${shapeOf(state, radius)}</g>`;
}

/** The same as a picture in a line of text; what it means has to stand beside it. */
export function inlineSign(state: NodeState, isSeed: boolean): Html {
  return html`<svg class="sign" viewBox="-12 -12 24 24" aria-hidden="true">${nodeSign(state, isSeed, 7.5)}</svg>`;
}

function shapeOf(state: NodeState, radius: number): Html {
  const r = fixed(radius);
  switch (state) {
    case 'up':
      return html`<circle class="solid" r="${r}" />`;
    case 'starting':
      return html`<circle class="line" r="${r}" /><circle class="solid" r="${fixed(radius * 0.38)}" />`;
    case 'joining':
      return html`<circle class="line" r="${r}" /><path class="solid" d="M0 ${-r}A${r} ${r} 0 0 1 0 ${r}Z" />`;
    case 'leaving':
      return html`<circle class="line dashed" r="${r}" /><path class="solid" d="M0 ${-r}A${r} ${r} 0 0 0 0 ${r}Z" />`;
    case 'down': {
      const [d, c] = [fixed(radius * 1.2), fixed(radius * 0.38)];
      return html`<path class="solid" d="M0 ${-d}L${d} 0L0 ${d}L${-d} 0Z" /><path
          class="cross"
          d="M${-c} ${-c}L${c} ${c}M${-c} ${c}L${c} ${-c}"
        />`;
    }
    case 'planned':
      return html`<circle class="line dotted" r="${r}" />`;
    case 'unknown':
      return html`<circle class="line" r="${r}" /><text class="mark" dy="0.36em" font-size="${fixed(radius * 1.35)}"
          >?</text
        >`;
  }
}

function fixed(value: number): number {
  return Math.round(value * 100) / 100;
}
