import type { Matter } from '../api/matters.ts';
import type { ConditionView } from './condition-view.ts';
import type { FederationView, RegionView } from './federation-view.ts';
import { html, type Html } from './html.ts';
import { counted, literals, moment, toneSign } from './layout.ts';
import { inlineSign, stateWords } from './node-symbol.ts';
import type { NodeState, NodeView } from './node-view.ts';
import { drawRing } from './ring-drawing.ts';

/** All there is to tell of one federation. `root` is the way to /ui/; with `isOnly` there is no list to go back to. */
export function federationContent(view: FederationView, root: string, isOnly = false): Html {
  const { name, namespace, headline } = view;
  return html`
    ${!isOnly && html`<nav aria-label="Where this is"><a href="${root}">All federations</a></nav>`}
    <div class="heading ${headline.tone}">
      <h1>${name} <small>in namespace ${namespace}</small></h1>
      <p class="headline" role="status">
        <strong>${toneSign(headline.tone)} ${headline.word}</strong> <span class="message">${headline.sentence}</span>
      </p>
      ${facts(view)}
    </div>
    <div class="columns">
      ${ringFigure(view)}
      <div class="side">${tasks(view)} ${rollout(view)}</div>
    </div>
    <section aria-labelledby="regions">
      <h2 id="regions">Regions and nodes</h2>
      ${view.regions.length === 0 && html`<p class="note">No region can be read from the spec.</p>`}
      <div class="cards">${view.regions.map(regionCard)}</div>
    </section>
    <section aria-labelledby="conditions">
      <h2 id="conditions">Conditions</h2>
      ${conditionTable(view.conditions, `Conditions of ${name}`)}
    </section>
    ${seedList(view)}
  `;
}

function facts({ regions, ringHosts, founder, generation, observedGeneration }: FederationView): Html {
  const nodes = regions.flatMap((region) => region.nodes);
  const up = nodes.filter(({ state }) => state === 'up').length;
  const settled = regions.filter(({ isSettled }) => isSettled).length;
  const rows: [string, string | number][] = [
    ['Nodes up', `${up} of ${nodes.length}`],
    ['Regions settled', `${settled} of ${regions.length}`],
    ['Hosts in the ring', ringHosts ?? '–'],
    ['Founder', founder ?? '–'],
    [
      'Spec',
      observedGeneration === generation ? `generation ${generation}, seen` : `generation ${generation}, not seen yet`,
    ],
  ];
  return html`<dl class="facts">
    ${rows.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function ringFigure(view: FederationView): Html {
  const drawing = drawRing(view, { id: 'ring' });
  const states = new Set(view.regions.flatMap(({ nodes }) => nodes.map(({ state }) => state)));
  const order = Object.keys(stateWords) as NodeState[];
  const hasSeeds = view.regions.some(({ nodes }) => nodes.some(({ isSeed }) => isSeed));
  if (!drawing)
    return html`<p class="panel note">There is too much of this ring to draw it; the lists below have all of it.</p>`;
  return html`<figure class="panel">
    ${drawing}
    <figcaption>
      <ul class="legend" aria-label="What the signs mean">
        ${order
          .filter((state) => states.has(state))
          .map((state) => html`<li>${inlineSign(state, false)} ${stateWords[state]}</li>`)}
        ${hasSeeds && html`<li>${inlineSign('up', true)} seed</li>`}
        ${view.founder !== undefined && html`<li><span class="star" aria-hidden="true">★</span> founder</li>`}
      </ul>
    </figcaption>
  </figure>`;
}

function tasks({ yourTurn, waiting, underWay }: FederationView): Html {
  return html`<section class="panel" aria-labelledby="todo">
      <h2 id="todo">What to do</h2>
      ${yourTurn.length === 0 ? html`<p class="note">Nothing: no part of it needs a person.</p>` : matterList(yourTurn, 'bad')}
    </section>
    ${
      waiting.length > 0 &&
      html`<section class="panel" aria-labelledby="waiting">
        <h2 id="waiting">What it waits for</h2>
        ${matterList(waiting, 'waiting')}
      </section>`
    }
    ${
      underWay.length > 0 &&
      html`<section class="panel" aria-labelledby="under-way">
        <h2 id="under-way">What is under way</h2>
        ${matterList(underWay, 'busy')}
      </section>`
    }`;
}

function matterList(list: readonly Matter[], tone: 'bad' | 'waiting' | 'busy'): Html {
  return html`<ol class="tasks">
    ${list.map(
      ({ region, message, todo, reason, since, statements }) =>
        html`<li class="${tone}">
          <p class="about">
            ${region !== undefined && html`<b>${region}</b> `}<span>${reason}</span>
            ${since !== undefined && html`<span>since ${moment(since)}</span>`}
          </p>
          <p class="message">${message}</p>
          ${statements.length > 0 && html`<pre tabindex="0" aria-label="Statements to run">${statements.join('\n')}</pre>`}
          ${todo !== undefined && html`<p class="advice">${tone !== 'bad' && 'If it lasts: '}${literals(todo)}</p>`}
        </li>`,
    )}
  </ol>`;
}

function rollout({ regions }: FederationView): Html | false {
  if (regions.length === 0) return false;
  const settled = regions.filter(({ isSettled }) => isSettled).length;
  return html`<section class="panel" aria-labelledby="rollout">
    <h2 id="rollout">Rollout</h2>
    <p class="meter">
      <progress max="${regions.length}" value="${settled}" aria-labelledby="rollout"></progress> ${settled} of
      ${counted(regions.length, 'region')} settled
    </p>
    <ol class="steps">
      ${regions.map(
        ({ name, tone, stage, words, operations }) =>
          html`<li>
            ${toneSign(tone)}
            <div>
              <p><b>${name}</b> <span class="stage">${stage}</span></p>
              <p class="message">${words}</p>
              ${operations.map(
                (each) =>
                  html`<p class="meter">
                    <progress
                      max="${Math.max(1, each.total)}"
                      value="${each.done}"
                      aria-label="${each.name}"
                    ></progress>
                    ${each.name}: ${each.done} of ${counted(each.total, 'node')}
                  </p>`,
              )}
            </div>
          </li>`,
      )}
    </ol>
  </section>`;
}

function regionCard(region: RegionView, index: number): Html {
  const { name, stage, isFounder, context, namespace, nodes, tone, words, conditions } = region;
  const up = nodes.filter(({ state }) => state === 'up').length;
  return html`<article class="panel card" aria-labelledby="region-${index}">
    <header>
      <h3 id="region-${index}">${toneSign(tone)} ${name}</h3>
      <p class="chips">
        <span>${stage}</span> <span>${up} of ${counted(nodes.length, 'node')} up</span>
        ${isFounder && html`<span><span class="star" aria-hidden="true">★</span> founder</span>`}
      </p>
    </header>
    <p class="message">${words}</p>
    <p class="place">context <code>${context}</code>, namespace <code>${namespace}</code></p>
    ${nodes.length > 0 && nodeTable(region)}
    ${
      conditions.length > 0 &&
      html`<details>
        <summary>Conditions and host IDs of ${name}</summary>
        ${conditionTable(conditions, `Conditions of region ${name}`)} ${hostList(nodes)}
      </details>`
    }
  </article>`;
}

function nodeTable({ name, nodes }: RegionView): Html {
  const datacenters = Map.groupBy(nodes, ({ datacenter }) => datacenter);
  return html`<table class="nodes">
    <caption>
      Nodes of region ${name}
    </caption>
    <thead>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Rack</th>
        <th scope="col">State</th>
      </tr>
    </thead>
    ${[...datacenters].map(
      ([datacenter, own]) =>
        html`<tbody>
          <tr>
            <th scope="rowgroup" colspan="3">Datacenter <b>${datacenter}</b></th>
          </tr>
          ${own.map(
            ({ pod, hostId, rack, state, words, isSeed }) =>
              html`<tr>
                <th scope="row">
                  ${pod}<small
                    >${hostId === undefined ? 'no host ID yet' : html`host <code>${hostId.slice(0, 8)}</code>`}</small
                  >
                </th>
                <td>${rack}</td>
                <td>${inlineSign(state, isSeed)} ${words}${isSeed && html` <span class="chip">seed</span>`}</td>
              </tr>`,
          )}
        </tbody>`,
    )}
  </table>`;
}

/** The host IDs in full, to be copied. */
function hostList(nodes: readonly NodeView[]): Html | false {
  const known = nodes.flatMap(({ pod, hostId }) => (hostId === undefined ? [] : [{ pod, hostId }]));
  if (known.length === 0) return false;
  return html`<dl class="hosts">
    ${known.map(
      ({ pod, hostId }) =>
        html`<div>
          <dt>${pod}</dt>
          <dd><code>${hostId}</code></dd>
        </div>`,
    )}
  </dl>`;
}

function conditionTable(conditions: readonly ConditionView[], caption: string): Html {
  if (conditions.length === 0) return html`<p class="note">Nothing has been said yet.</p>`;
  return html`<table class="conditions">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Condition</th>
        <th scope="col">Status</th>
        <th scope="col">In words</th>
        <th scope="col">Since</th>
      </tr>
    </thead>
    <tbody>
      ${conditions.map(
        ({ type, status, reason, message, meaning, inGeneral, since, tone }) =>
          html`<tr>
            <th scope="row">${toneSign(tone)} ${type}${meaning !== undefined && html`<small>${meaning}</small>`}</th>
            <td>${status}<small>${reason}</small></td>
            <td>
              <span class="message">${message}</span
              >${tone !== 'good' && inGeneral !== undefined && html`<small>${inGeneral}</small>`}
            </td>
            <td>${moment(since)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function seedList({ seeds }: FederationView): Html | false {
  if (seeds.length === 0) return false;
  return html`<section aria-labelledby="seeds">
    <h2 id="seeds">Seeds</h2>
    <ol class="panel seeds">
      ${seeds.map((seed) => html`<li><code>${seed}</code></li>`)}
    </ol>
  </section>`;
}
