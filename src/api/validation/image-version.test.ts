import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageVersion, serverVersionNumbers, versionsAgree } from './image-version.ts';
import { isQuantity } from './quantity.ts';

test('an image’s version is read from its tag', () => {
  for (const [image, version] of [
    ['cassandra:5.0.8', [5, 0, 8]],
    ['cassandra:5', [5]],
    ['registry.example.net:5000/library/cassandra:v4.0.19-jdk11', [4, 0, 19]],
    ['cassandra:4.1.3@sha256:0123', [4, 1, 3]],
    ['cassandra:4.1-beta1', [4, 1]],
  ] as const) {
    assert.deepEqual(imageVersion(image), version, image);
  }
});

test('a tag that says nothing of a version is not guessed at', () => {
  for (const image of [
    'cassandra',
    'cassandra:latest',
    'cassandra@sha256:0123',
    'localhost:5000/cassandra',
    'x:20260101',
    'x:2026.01.02',
    'x:4beta',
    'x:ubi-4.0',
    '',
  ])
    assert.equal(imageVersion(image), undefined, image);
});

test('versions agree as far as both go', () => {
  assert.ok(versionsAgree([4, 0], [4, 0, 19]));
  assert.ok(versionsAgree([4, 0, 19], [4]));
  assert.ok(!versionsAgree([4, 0, 19], [4, 1]));
  assert.deepEqual(serverVersionNumbers('4.0'), [4, 0]);
  for (const text of ['4', '4.0.1.2', 'v4.0', '4.0-beta', ''])
    assert.equal(serverVersionNumbers(text), undefined, text);
});

test('a quantity is a size above 0 as Kubernetes writes it', () => {
  for (const value of ['1Gi', '100', '0.5Ti', '1e3', '1.G', '+2Ki', '.5Gi']) assert.ok(isQuantity(value), value);
  for (const value of ['', '0', '0Gi', '-1Gi', '1 Gi', '1GB', 'Gi', '1gi', 1, null, '1Gi '])
    assert.ok(!isQuantity(value), String(value));
});
