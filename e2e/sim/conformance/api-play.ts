import type { KubeObject } from '../../../src/kube/objects.ts';
import { anotherUid, identityOf, patchTypes, type Stored } from './api-fixtures.ts';
import type { Content, Precondition, RandomKind, Step } from './api-random.ts';
import type { Answer, ApiSubject } from './api-subject.ts';

/** What an object was like at the answers about it. */
interface Known {
  first: Stored | undefined;
  last: Stored | undefined;
}

/** Sends a sequence, each request made from the answers before it. `names` are the two objects'. */
export async function play(
  subject: ApiSubject,
  kind: RandomKind,
  names: readonly string[],
  sequence: readonly Step[],
): Promise<Answer[]> {
  const known: Known[] = names.map(() => ({ first: undefined, last: undefined }));
  const answers: Answer[] = [];
  for (const step of sequence) {
    const answer = await perform(subject, kind, names[step.object] ?? '', known[step.object], names, step);
    answers.push(answer);
    const body = answer.body as Stored;
    const state = known[step.object];
    if (state && answer.status < 300 && body.kind !== 'Status' && body.metadata.name === names[step.object]) {
      state.first ??= body;
      state.last = body;
    }
  }
  return answers;
}

function perform(
  subject: ApiSubject,
  { collection, make, part, hasStatus }: RandomKind,
  name: string,
  known: Known | undefined,
  names: readonly string[],
  step: Step,
): Promise<Answer> {
  const path = `${collection}/${name}`;
  const sent = (content: Content, metadata: object): KubeObject => {
    const { [part]: _, ...rest } = make(name, {
      ...metadata,
      ...(content.labels && { labels: content.labels }),
      ...(content.finalizers && { finalizers: content.finalizers }),
    });
    return {
      ...(rest as KubeObject),
      ...(content.spec && { [part]: content.spec }),
      ...(hasStatus && { status: content.status }),
    };
  };
  switch (step.do) {
    case 'post':
      return subject.send('POST', `${collection}?fieldManager=${step.manager}`, sent(step.content, {}));
    case 'apply':
    case 'applyStatus': {
      const query = `fieldManager=${step.manager}&force=${step.force}`;
      // Labels applied by way of the status are ignored, save that they make the server note a new time.
      const { content } = step;
      const asked = step.do === 'apply' ? content : { ...content, labels: undefined, finalizers: undefined };
      const body = sent(asked, preconditionOf(step.precondition, known));
      return subject.send('PATCH', `${path}${step.do === 'apply' ? '' : '/status'}?${query}`, body, patchTypes.apply);
    }
    case 'put':
    case 'putStatus': {
      const before = step.onto === 'nothing' ? undefined : known?.[step.onto];
      const { metadata, ...body } = sent(step.content, {});
      const whole = { ...before, ...body, metadata: { ...before?.metadata, ...metadata } };
      return subject.send('PUT', `${path}${step.do === 'put' ? '' : '/status'}?fieldManager=${step.manager}`, whole);
    }
    case 'merge':
    case 'mergeStatus': {
      const {
        apiVersion: _,
        kind: __,
        metadata,
        ...body
      } = sent(step.content, preconditionOf(step.precondition, known));
      const at = `${path}${step.do === 'merge' ? '' : '/status'}?fieldManager=${step.manager}`;
      return subject.send('PATCH', at, { ...body, metadata }, patchTypes.merge);
    }
    case 'json': {
      const { uid, resourceVersion } = preconditionOf(step.tests, known) as { uid?: string; resourceVersion?: string };
      const tests = [
        ...(uid === undefined ? [] : [{ op: 'test', path: '/metadata/uid', value: uid }]),
        ...(resourceVersion === undefined
          ? []
          : [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }]),
      ];
      return subject.send(
        'PATCH',
        `${path}?fieldManager=${step.manager}`,
        [...tests, ...step.operations],
        patchTypes.json,
      );
    }
    case 'delete': {
      const preconditions = preconditionOf(step.precondition, known);
      return subject.send('DELETE', path, {
        preconditions,
        ...(step.propagation !== undefined && { propagationPolicy: step.propagation }),
      });
    }
    case 'get':
      return subject.send('GET', path);
    case 'list':
      return subject.send('GET', `${collection}?fieldSelector=metadata.name%3D${names[0]}`);
  }
}

function preconditionOf(precondition: Precondition, known: Known | undefined): object {
  const state = known?.last;
  switch (precondition) {
    case 'none':
      return {};
    case 'last':
      return state ? identityOf(state) : {};
    case 'first':
      return known?.first ? identityOf(known.first) : {};
    case 'version':
      return state ? { resourceVersion: state.metadata.resourceVersion } : {};
    case 'uid':
      return state ? { uid: state.metadata.uid } : {};
    case 'create':
      return { resourceVersion: '1' };
    case 'strange':
      return { ...(state && identityOf(state)), uid: anotherUid };
  }
}
