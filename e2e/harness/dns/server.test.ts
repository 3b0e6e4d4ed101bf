import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { decode, encode } from 'dns-packet';
import { respond } from './server.ts';
import { outageFile, Zone } from './zone.ts';

describe('the DNS of a region', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmaster-dns-'));
  const regions = ['eu', 'us'];
  const eu = new Zone(directory, 'eu', regions);
  const us = new Zone(directory, 'us', regions);
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(() => {
    eu.publish([{ namespace: 'cass', pod: 'fed-eu-r1-0', service: 'fed', address: '198.18.1.16' }]);
    us.publish([{ namespace: 'cass', pod: 'fed-us-r1-0', service: 'fed', address: '198.18.2.16' }]);
  });

  function ask(zone: Zone, name: string, type: 'A' | 'AAAA' = 'A') {
    const query = encode({ type: 'query', id: 7, questions: [{ type, name }] });
    const response = respond(zone, Buffer.from(query));
    assert.ok(response);
    const { id, answers = [], ...rest } = decode(response);
    assert.equal(id, 7);
    const { rcode } = rest as unknown as { rcode: string };
    return { rcode, addresses: answers.map((answer) => ('data' in answer ? answer.data : undefined)) };
  }

  test('knows every region by the zone, with and without the namespace', () => {
    for (const zone of [eu, us])
      for (const name of ['fed-us-r1-0.us.db.example.net', 'fed-us-r1-0.cass.us.db.example.net'])
        assert.deepEqual(ask(zone, name), { rcode: 'NOERROR', addresses: ['198.18.2.16'] });
  });

  test('knows cluster-local names of its own region only', () => {
    const name = 'fed-eu-r1-0.fed.cass.svc.cluster.local';
    assert.deepEqual(ask(eu, name).addresses, ['198.18.1.16']);
    assert.equal(ask(us, name).rcode, 'NXDOMAIN');
  });

  test('resolves short names by the search domains of the namespace', () => {
    const found = { kind: 'addresses', addresses: ['198.18.1.16'] };
    assert.deepEqual(eu.resolve('fed-eu-r1-0.fed', 'cass'), found);
    assert.deepEqual(eu.resolve('fed-eu-r1-0.fed.cass', 'other'), found);
    assert.deepEqual(eu.resolve('fed-eu-r1-0.fed', 'other'), { kind: 'unknown' });
  });

  test('answers NXDOMAIN for unknown names and nothing for other types of known ones', () => {
    assert.equal(ask(eu, 'fed-eu-r1-1.eu.db.example.net').rcode, 'NXDOMAIN');
    assert.deepEqual(ask(eu, 'fed-eu-r1-0.eu.db.example.net', 'AAAA'), { rcode: 'NOERROR', addresses: [] });
  });

  test('follows a pod to its new address', () => {
    us.publish([{ namespace: 'cass', pod: 'fed-us-r1-0', service: 'fed', address: '198.18.2.17' }]);
    assert.deepEqual(ask(eu, 'fed-us-r1-0.us.db.example.net').addresses, ['198.18.2.17']);
  });

  test('fails for a while when told so', () => {
    writeFileSync(outageFile(directory, 'eu'), '');
    assert.equal(ask(eu, 'fed-eu-r1-0.eu.db.example.net').rcode, 'SERVFAIL');
    assert.equal(ask(us, 'fed-eu-r1-0.eu.db.example.net').rcode, 'NOERROR');
    rmSync(outageFile(directory, 'eu'));
    assert.equal(ask(eu, 'fed-eu-r1-0.eu.db.example.net').rcode, 'NOERROR');
  });

  test('ignores what is no question', () => {
    assert.equal(respond(eu, Buffer.from('no DNS')), undefined);
  });
});
