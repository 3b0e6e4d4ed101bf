import type { FederationView } from './federation-view.ts';
import { html, type Html } from './html.ts';
import { counted, toneSign } from './layout.ts';
import { drawRing } from './ring-drawing.ts';

/** With more federations than this their rings are left out of the list. */
const drawnMax = 24;

/** All federations, those first that need a person. */
export function overviewContent(views: readonly FederationView[]): Html {
  const order = ['bad', 'unknown', 'busy', 'good'];
  const sorted = views.toSorted(
    (one, other) =>
      Number(other.todo.length > 0) - Number(one.todo.length > 0) ||
      order.indexOf(one.headline.tone) - order.indexOf(other.headline.tone) ||
      `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`),
  );
  const needy = views.filter(({ todo }) => todo.length > 0).length;
  const summary =
    views.length === 0
      ? 'There is no MultiCassandraCluster in the hub.'
      : `${counted(views.length, 'federation')}; ${needy === 0 ? 'none needs' : needy === 1 ? '1 needs' : `${needy} need`} a person.`;
  return html`
    <div class="heading">
      <h1>Federations</h1>
      <p class="headline" role="status">${summary}</p>
    </div>
    <ul class="overview">
      ${sorted.map((view, index) => card(view, index, views.length <= drawnMax))}
    </ul>
  `;
}

function card(view: FederationView, index: number, isDrawn: boolean): Html {
  const { namespace, name, headline, regions, todo, waits } = view;
  const nodes = regions.flatMap((region) => region.nodes);
  const up = nodes.filter(({ state }) => state === 'up').length;
  const address = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const [first] = [...todo, ...waits];
  const about = first && first.message !== headline.sentence ? first : undefined;
  return html`<li class="panel ${headline.tone}">
    ${isDrawn && drawRing(view, { id: `ring-${index}`, isSmall: true })}
    <div>
      <h2><a href="${address}">${name}</a> <small>in namespace ${namespace}</small></h2>
      <p class="headline">
        <strong>${toneSign(headline.tone)} ${headline.word}</strong> <span class="message">${headline.sentence}</span>
      </p>
      ${
        about &&
        html`<p class="about">
          <b
            >${todo.length > 0 ? 'To do' : 'Waits for'}${about.regions.length > 0 && ` in ${about.regions.join(', ')}`}:</b
          >
          <span class="message">${about.message}</span>
        </p>`
      }
      <p class="place">
        ${up} of ${counted(nodes.length, 'node')} up in ${regions.map((region) => region.name).join(', ')}
      </p>
    </div>
  </li>`;
}
