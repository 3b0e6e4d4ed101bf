import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { customResourceDefinition } from '../../api/crd.ts';
import { systemClock } from '../../edges/clock.ts';
import { FakeTransport, jsonResponse } from '../../edges/testing.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import { hubAccess, regionAccess } from '../../runtime/access.ts';
import { rbacObjects } from '../rbac.ts';
import { bugsOf, isOperatorImage, versionOfImage } from './casskop-version.ts';
import { Cluster } from './cluster.ts';
import { countsOf, type Finding, tellOf } from './finding.ts';
import { judgeCrd } from './hub-crd.ts';
import { leaderFinding } from './leader.ts';
import { operatorFindings } from './operator.ts';
import { missingRights, rightsFinding, rightsOf } from './rights.ts';
import { seedFindings } from './seeds.ts';
import { aheadOf, askServer, clockFinding, type Server, serverFinding } from './server.ts';
import { findingLines } from './text.ts';
import { foreignWriters } from './writers.ts';

const tell = tellOf('cluster us');
const never = new AbortController().signal;

function inShort({ level, message, todo }: Finding): string {
  return `${level}: ${message}${todo === undefined ? '' : ` > ${todo}`}`;
}

test('findings stand under what they are about, with what to type unbroken, and are counted', () => {
  const findings = [
    tellOf('hub eu')('server', 'ok', 'its API server is v1.36.3 and answers in 2 ms'),
    tell(
      'namespace',
      'failure',
      'there is no namespace cassandra',
      'kubectl --context us create namespace cassandra-of-a-long-name',
    ),
    tellOf('hub eu')('clock', 'unseen', 'its answers carry no date'),
    tell(
      'volumes',
      'warning',
      'volumes of former nodes are left, and a node of that name would start on them: data-orders-us-rack1-7',
    ),
  ];
  const lines = findingLines(findings, { columns: 60, colour: false });
  assert.deepEqual(lines, [
    'hub eu',
    '  ok       its API server is v1.36.3 and answers in 2 ms',
    '  ?        its answers carry no date',
    '',
    'cluster us',
    '  FAILURE  there is no namespace cassandra',
    '           > kubectl --context us create namespace cassandra-of-a-long-name',
    '  warning  volumes of former nodes are left, and a node of',
    '           that name would start on them:',
    '           data-orders-us-rack1-7',
    '',
    '1 failure, 1 warning, 1 ok, 1 that cannot be told from here',
  ]);
  const coloured = findingLines(findings, { columns: 60, colour: true });
  assert.deepEqual(coloured.map(stripVTControlCharacters), lines);
  assert.deepEqual(countsOf(findings), { failure: 1, warning: 1, ok: 1, unseen: 1 });
});

/** An API server whose clock is this far from the machine's, and whose answer takes a while. */
function server(skewMs: number, tookMs = 40): Server {
  const sentMs = Date.parse('2026-01-01T12:00:00.300Z');
  const serverMs = Math.floor((sentMs + tookMs / 2 + skewMs) / 1000) * 1000;
  const ahead = aheadOf({ sentMs, receivedMs: sentMs + tookMs, serverMs });
  return { version: 'v1.36.3', tookMs, ahead };
}

test('a clock counts as wrong only as far as that is certain, for a date tells whole seconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 0, max: 900 }), (skewMs, tookMs) => {
      assert.equal(clockFinding(tell, server(skewMs, tookMs), undefined).level, 'ok');
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 5_000, max: 50_000 }), fc.boolean(), (apartMs, isAhead) => {
      const { level, message } = clockFinding(tell, server(isAhead ? apartMs : -apartMs), undefined);
      assert.equal(level, 'warning');
      assert.match(message, isAhead ? /ahead of this machine's/ : /behind this machine's/);
    }),
  );
});

test('a region is set beside the hub, whatever the clock of this machine says', () => {
  assert.equal(clockFinding(tell, server(3_600_000), server(3_600_000)).level, 'ok');
  const late = clockFinding(tell, server(-90_000), server(0));
  assert.match(inShort(late), /^failure: its clock is 1m\d+s behind the hub's: .* > see to NTP there/);
  assert.equal(clockFinding(tell, { ...server(0), ahead: undefined }, undefined).level, 'unseen');
});

test('who the server is comes from /version; one that does not answer, or is too old for the hub, is a failure', async () => {
  const answering = (status: number, body: unknown): Promise<Server | string> => {
    const date = 'Thu, 01 Jan 2026 12:00:00 GMT';
    return askServer(
      new Cluster('us', new FakeTransport(() => jsonResponse(status, body, { date })), systemClock, 1000),
      never,
    );
  };
  const found = await answering(200, { gitVersion: 'v1.24.9' });
  assert.ok(typeof found !== 'string' && found.ahead !== undefined);
  assert.equal(serverFinding(tell, found, false, 'us').level, 'ok');
  assert.match(inShort(serverFinding(tell, found, true, 'us')), /^failure: .*v1\.24\.9.*needs 1\.25 or newer/);
  const refused = await answering(401, { message: 'Unauthorized' });
  assert.equal(
    inShort(serverFinding(tell, refused, true, 'us')),
    'failure: its API server does not answer: 401 Unauthorized > kubectl --context us version',
  );
});

test('rights are asked about one by one, and are those that the roles give', () => {
  const places = { namespace: 'orders', own: 'ringmaster-system', cluster: true };
  for (const [place, rules] of [
    ['hub', hubAccess],
    ['region', regionAccess(casskop)],
  ] as const) {
    const serviceAccount = { namespace: 'ringmaster-system', name: 'ringmaster' };
    const roles = rbacObjects({ place, rules, namespaces: ['orders'], serviceAccount });
    const given = roles.flatMap(({ metadata: { namespace }, ...role }) =>
      ((role['rules'] ?? []) as { verbs: string[]; resources?: string[]; resourceNames?: string[] }[]).flatMap((rule) =>
        rule.verbs.flatMap((verb) =>
          (rule.resourceNames ?? ['']).map((name) =>
            [verb, rule.resources?.[0] ?? 'path', name, namespace ?? ''].join(' '),
          ),
        ),
      ),
    );
    const asked = rightsOf(rules, places).map(({ attributes }) => {
      if (!('resourceAttributes' in attributes)) return 'get path  ';
      const { verb, resource, subresource, name = '', namespace = '' } = attributes.resourceAttributes;
      return [verb, subresource === undefined ? resource : `${resource}/${subresource}`, name, namespace].join(' ');
    });
    assert.deepEqual(asked.toSorted(), given.toSorted());
  }
});

test('missing rights are told object by object, with the command that gives them', async () => {
  const transport = new FakeTransport(({ body = '' }) => {
    const { kind, spec } = JSON.parse(body) as {
      kind: string;
      spec: { user?: string; resourceAttributes?: { resource: string } };
    };
    assert.deepEqual([kind, spec.user], ['SubjectAccessReview', 'system:serviceaccount:ns:name']);
    return jsonResponse(201, { status: { allowed: spec.resourceAttributes?.resource !== 'pods' } });
  });
  const rights = rightsOf(regionAccess(casskop), { namespace: 'orders', cluster: true });
  const account = { namespace: 'ns', name: 'name' };
  const missing = await missingRights(new Cluster('us', transport, systemClock, 1000), rights, account, never);
  const found = rightsFinding(tell, rights, missing, account, 'ringmaster rbac region');
  assert.match(
    inShort(found),
    /^failure: ServiceAccount ns\/name may not get, list, watch, patch, delete pods in orders \(nodes: .*\); get pods\/proxy in orders .* > ringmaster rbac region$/,
  );
  assert.equal(rightsFinding(tell, rights, [], account, '').level, 'ok');
  assert.equal(rightsFinding(tell, rights, '403', account, '').level, 'unseen');
});

test('the version of CassKop is told from the image of its Deployment, and of no other image of its kin', () => {
  assert.deepEqual(versionOfImage('ghcr.io/cscetbon/casskop:v2.3.4-release'), [2, 3, 4]);
  assert.deepEqual(versionOfImage('registry:5000/casskop:2.2.9'), [2, 2, 9]);
  assert.equal(versionOfImage('registry:5000/casskop'), undefined);
  assert.equal(versionOfImage('casskop@sha256:0123'), undefined);
  const images = ['casskop', 'orange/casskop:1.0.0', 'casskop@sha256:0'];
  assert.ok(images.every(isOperatorImage));
  const others = ['ghcr.io/cscetbon/casskop-bootstrap:0.1.21', 'orange/multi-casskop:2.2.9', 'casskop/other:1'];
  assert.ok(!others.some(isOperatorImage));
});

test('what is known of a version is told, and what to do about it where Ringmaster cannot keep clear of it', () => {
  const todos = (version: [number, number, number]): number =>
    bugsOf(version).filter(({ todo }) => todo !== undefined).length;
  assert.deepEqual(
    [
      [2, 2, 9],
      [2, 3, 0],
      [2, 3, 2],
      [2, 3, 3],
      [2, 3, 4],
    ].map((each) => todos(each as [number, number, number])),
    [0, 1, 1, 0, 0],
  );
  const crd = {
    metadata: { name: casskop.crdName },
    spec: {
      versions: [
        { name: 'v2', served: true, subresources: { status: {} }, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  };
  const of = (image: string): string[] =>
    operatorFindings(tell, { crd, deployments: new Map([['casskop/casskop', image]]) }, 'us').map(inShort);
  assert.match(
    of('casskop:2.3.1').join('\n'),
    /^warning: a bug of that version: it drops the seeds .* > upgrade CassKop to 2\.3\.3/m,
  );
  assert.match(of('casskop:2.4.0').join('\n'), /^warning: CassKop 2\.4\.0 .* is newer than 2\.3\.4/m);
  assert.match(of('casskop:latest').join('\n'), /^unseen: .*whose tag tells no version$/m);
  const unseen = operatorFindings(tell, { crd, deployments: '403 forbidden' }, 'us').map(inShort);
  assert.match(
    unseen.join('\n'),
    /^unseen: CassKop's version cannot be seen \(403 forbidden\), by its CRD it is 2\.3\.0 or newer$/m,
  );
  const absent = operatorFindings(tell, { crd: undefined, deployments: '' }, 'us').map(inShort);
  assert.match(
    absent.join('\n'),
    /^failure: the CustomResourceDefinition .* is missing: .* > install CassKop by its chart into context us/,
  );
});

test('a leader is one who has renewed its Lease lately, by the clock of the server that holds it', () => {
  const lease = (
    spec: object,
  ): { namespace: string; lease: { metadata: { name: string }; spec: object }; serverMs: number } => ({
    namespace: 'ringmaster-system',
    lease: {
      metadata: { name: 'ringmaster' },
      spec: { holderIdentity: 'pod-1', leaseDurationSeconds: 15, leaseTransitions: 3, ...spec },
    },
    serverMs: Date.parse('2026-01-01T12:00:20Z'),
  });
  const judge = (spec: object): string => inShort(leaderFinding(tell, lease(spec), 'eu'));
  assert.match(
    judge({ renewTime: '2026-01-01T12:00:12.000000Z' }),
    /^ok: pod-1 leads by Lease .*, renewed 8s ago, after 3 changes/,
  );
  assert.match(
    judge({ renewTime: '2026-01-01T12:00:00.000000Z' }),
    /^failure: pod-1 holds .* not renewed it for 20s: no controller runs > kubectl --context eu -n ringmaster-system/,
  );
  assert.match(judge({ holderIdentity: '' }), /^failure: nobody holds/);
  assert.match(judge({}), /^unseen: /);
  assert.match(
    inShort(leaderFinding(tell, 'there is no Lease ringmaster in default', 'eu')),
    /^warning: .* > name its place: --lease-namespace/,
  );
});

test('a CRD of another version is noticed, one to which the server has added something is not', () => {
  const wanted = customResourceDefinition();
  const judge = (object: unknown): string => inShort(judgeCrd(tell, wanted, { object }, 'eu'));
  const stored = structuredClone(wanted) as { spec: Record<string, unknown> & { versions: { schema: unknown }[] } };
  assert.match(judge({ ...stored, spec: { ...stored.spec, conversion: { strategy: 'None' } } }), /^ok: /);
  const [version] = stored.spec.versions;
  assert.ok(version);
  version.schema = { openAPIV3Schema: { type: 'object' } };
  assert.match(judge(stored), /^warning: .* > ringmaster crds \| kubectl --context eu apply --server-side -f -$/);
  assert.match(inShort(judgeCrd(tell, wanted, { absent: true }, 'eu')), /^failure: .*is missing > ringmaster crds/);
});

test('others than Ringmaster and CassKop who own fields of a spec are named with these fields', () => {
  const entry = (manager: string, fields: object, subresource?: string): object => ({
    manager,
    operation: 'Update',
    fieldsV1: fields,
    ...(subresource !== undefined && { subresource }),
  });
  const spec = {
    'f:spec': { '.': {}, 'f:resources': { 'f:requests': { 'f:cpu': {} } }, 'f:topology': { 'f:dc': {} } },
  };
  const managedFields = [
    entry('ringmaster', spec),
    entry('casskop', spec),
    entry('kubectl-edit', spec),
    entry('kubectl-annotate', { 'f:metadata': { 'f:annotations': { 'f:note': {} } } }),
    entry('somebody', { 'f:spec': {} }, 'status'),
  ];
  assert.deepEqual(
    [...foreignWriters({ metadata: { managedFields } })],
    [['kubectl-edit', ['/spec/resources/requests/cpu', '/spec/topology/dc']]],
  );
  assert.equal(foreignWriters({ metadata: {} }).size, 0);
  assert.equal(foreignWriters('nothing of the kind').size, 0);
});

test('what names of seeds a DNS server knows counts most where it is the one that pods ask', () => {
  const seen = (
    isRegions: boolean,
    ...answers: [string, string[] | string][]
  ): Parameters<typeof seedFindings>[1][number] => ({
    whence: isRegions ? 'in region us (192.0.2.53)' : 'from here',
    isRegions,
    answers: new Map(answers),
  });
  const judge = (list: Parameters<typeof seedFindings>[1], alive: boolean): string[] =>
    seedFindings(tell, list, alive).map(inShort);
  assert.deepEqual(judge([seen(false, ['a', ['192.0.2.1']])], true), [
    'ok: all 1 seeds have addresses, asked from here',
  ]);
  const missing = seen(true, ['a', 'ENOTFOUND']);
  assert.match(
    judge([missing], false)[0] ?? '',
    /^failure: .*in region us \(192\.0\.2\.53\): a \(ENOTFOUND\) > .*ExternalDNS/,
  );
  assert.match(judge([missing], true)[0] ?? '', /^warning: /);
  assert.match(judge([seen(false, ['a', 'ENOTFOUND'])], true)[0] ?? '', /^unseen: /);
  assert.match(judge([seen(false, ['a', 'ENOTFOUND'])], false)[0] ?? '', /^warning: /);
  assert.match(judge([seen(true, ['a', 'ETIMEOUT'])], false)[0] ?? '', /^unseen: no DNS server answers/);
  const differing = judge([seen(true, ['a', ['192.0.2.1']]), seen(false, ['a', ['192.0.2.2']])], true);
  assert.match(differing.at(-1) ?? '', /^warning: seeds whose address depends on where one asks: a /);
});
