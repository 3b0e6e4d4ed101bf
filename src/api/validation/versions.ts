import type { EffectiveFederation, EffectiveRegion } from '../effective.ts';
import { imageVersion, serverVersionNumbers, versionsAgree } from './image-version.ts';
import { type FieldPath, invalid, type Problem } from '../problem.ts';
import { isQuantity } from './quantity.ts';
import type { MultiCassandraCluster } from '../schema.ts';
import { whereWritten } from './written-parts.ts';

/** What each region's member says of its Cassandra version and its disks, once template, removals and patch are merged. */
export function validateVersionsAndDisks(mcc: MultiCassandraCluster, federation: EffectiveFederation): Problem[] {
  return federation.regions.flatMap((region, index) => [
    ...versionProblems(mcc, region, index),
    ...diskProblems(mcc, federation, region, index),
  ]);
}

function* versionProblems(mcc: MultiCassandraCluster, region: EffectiveRegion, index: number): Generator<Problem> {
  const { cassandraImage: image, serverVersion } = region.memberSpec;
  const imagePath = whereWritten(mcc, index, 'cassandraImage');
  if (typeof image !== 'string' || image === '') {
    yield invalid(
      imagePath,
      'cassandraImage is required: without it each regional operator would choose a version of its own. Name an image and its version, such as cassandra:5.0.8.',
    );
    return;
  }
  const tagged = imageVersion(image);
  // A patch that brings another image brings its version too.
  const fromPatch = imagePath[1] === 'regions' && imagePath.at(-1) === 'cassandraImage';
  const path = fromPatch ? [...imagePath.slice(0, -1), 'serverVersion'] : whereWritten(mcc, index, 'serverVersion');
  if (serverVersion === undefined || serverVersion === '') {
    if (!tagged) {
      yield invalid(path, `The version cannot be told from the image ${image}. Set serverVersion, such as 4.0.19.`);
    } else if ((tagged[0] ?? 0) >= 4) {
      yield invalid(
        path,
        `serverVersion is required from Cassandra 4.0 on: without it the regional operator decommissions nodes the old way and misplaces JVM options. Set it to the version of ${image}.`,
      );
    }
    return;
  }
  const given = typeof serverVersion === 'string' ? serverVersionNumbers(serverVersion) : undefined;
  if (!given) {
    yield invalid(
      path,
      `serverVersion must be text of two or three numbers, such as "4.0.19", but it is ${JSON.stringify(serverVersion)}.`,
    );
  } else if (tagged && !versionsAgree(given, tagged)) {
    yield invalid(
      path,
      `serverVersion ${given.join('.')} is not the version of the image ${image}. Make them agree: the regional operator chooses commands by serverVersion.`,
    );
  }
}

function* diskProblems(
  mcc: MultiCassandraCluster,
  federation: EffectiveFederation,
  region: EffectiveRegion,
  index: number,
): Generator<Problem> {
  const { dataCapacity } = region.memberSpec;
  if (dataCapacity !== undefined && !isQuantity(dataCapacity)) {
    yield badCapacity(whereWritten(mcc, index, 'dataCapacity'), dataCapacity);
  }
  for (const [position, datacenter] of region.datacenters.entries()) {
    const path = ['spec', 'regions', index, 'datacenters', position, 'overrides'];
    const own = datacenter.overrides['dataCapacity'];
    if (own !== undefined && !isQuantity(own)) {
      yield badCapacity([...path, 'dataCapacity'], own);
    }
    if (own === undefined && datacenter.overrides['dataStorageClass'] !== undefined) {
      yield invalid(
        [...path, 'dataStorageClass'],
        "The regional operator ignores a datacenter's dataStorageClass unless the datacenter has a dataCapacity of its own. Add it to these overrides.",
      );
    }
    if (federation.dataPolicy === 'Persistent' && own === undefined && dataCapacity === undefined) {
      yield invalid(
        whereWritten(mcc, index, 'dataCapacity'),
        'dataCapacity is required: without it data lives in the pods, and a rolling restart empties the ring. Set it, such as 100Gi, or set dataPolicy: Ephemeral.',
      );
    }
  }
}

function badCapacity(path: FieldPath, value: unknown): Problem {
  return invalid(
    path,
    `dataCapacity must be text with a size above 0, such as "100Gi", but it is ${JSON.stringify(value)}.`,
  );
}
