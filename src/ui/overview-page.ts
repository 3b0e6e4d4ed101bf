import type { FederationView } from './federation-view.ts';
import { html, type Html } from './html.ts';
import { counted, toneSign } from './layout.ts';
import { drawRing } from './ring-drawing.ts';

/** With more federations than this their rings are left out of the list. */
const drawnMax = 24;

/** All federations, those first that need a person. */
export function overviewContent(views: readonly FederationView[]): Html {
  const order = ['bad', 'unknown', 'busy', 'waiting', 'good'];
  const sorted = views.toSorted(
    (one, other) =>
      Number(other.yourTurn.length > 0) - Number(one.yourTurn.length > 0) ||
      order.indexOf(one.headline.tone) - order.indexOf(other.headline.tone) ||
      `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`),
  );
  const needy = views.filter(({ yourTurn }) => yourTurn.length > 0).length;
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
  const { namespace, name, headline, regions, yourTurn, waiting, underWay } = view;
  const nodes = regions.flatMap((region) => region.nodes);
  const up = nodes.filter(({ state }) => state === 'up').length;
  const address = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const [first] = [...yourTurn, ...waiting, ...underWay];
  const about = first && first.message !== headline.sentence ? first : undefined;
  const heading = yourTurn.length > 0 ? 'To do' : waiting.length > 0 ? 'Waits' : 'Under way';
  const where = about?.region !== undefined && ` in ${about.region}`;
  return html`<li class="panel ${headline.tone}">
    ${isDrawn && drawRing(view, { id: `ring-${index}`, isSmall: true })}
    <div>
      <h2><a href="${address}">${name}</a> <small>in namespace ${namespace}</small></h2>
      <p class="headline">
        <strong>${toneSign(headline.tone)} ${headline.word}</strong> <span class="message">${headline.sentence}</span>
      </p>
      ${about && html`<p class="about"><b>${heading}${where}:</b> <span class="message">${about.message}</span></p>`}
      <p class="place">
        ${up} of ${counted(nodes.length, 'node')} up in ${regions.map((region) => region.name).join(', ')}
      </p>
    </div>
  </li>`;
}
