import { overrides, patch, refused, template } from '../testing.ts';

refused([
  {
    title: 'a misspelt field in the template',
    change: template({ cassandraImge: 'cassandra:5.0.8' }),
    expected: [
      'spec.template.spec.cassandraImge: Invalid: "cassandraImge" is not a field that the regional operator knows here. Did you mean "cassandraImage"?',
    ],
  },
  {
    title: "a field in the template in other letters than the regional operator's",
    change: template({ imagePullPolicy: 'Always' }),
    expected: [
      'spec.template.spec.imagePullPolicy: Invalid: "imagePullPolicy" is not a field that the regional operator knows here. Did you mean "imagepullpolicy"?',
    ],
  },
  {
    title: 'a misspelt field deep in the template',
    change: template({ resources: { limit: { cpu: '1' } } }),
    expected: [
      'spec.template.spec.resources.limit: Invalid: "limit" is not a field that the regional operator knows here. Did you mean "limits"?',
    ],
  },
  {
    title: 'a value of the wrong type in the template',
    change: template({ autoPilot: 'true', envVars: { A: 'b' } }),
    expected: [
      'spec.template.spec.autoPilot: Invalid: This must be true or false, but it is the text "true".',
      'spec.template.spec.envVars: Invalid: This must be a list, but it is an object.',
    ],
  },
  {
    title: 'a misspelt field in a patch',
    change: patch({ autopilott: true }),
    expected: [
      'spec.regions[1].patch.spec.autopilott: Invalid: "autopilott" is not a field that the regional operator knows here. Did you mean "autoPilot"?',
    ],
  },
  {
    title: 'a misspelt field in a list in a patch',
    change: patch({ envVars: [{ name: 'A', vlaue: 'b' }] }),
    expected: [
      'spec.regions[1].patch.spec.envVars[0].vlaue: Invalid: "vlaue" is not a field that the regional operator knows here. Did you mean "value"?',
    ],
  },
  {
    title: 'a misspelt field deep in overrides',
    change: overrides({ resources: { request: {} } }),
    expected: [
      'spec.regions[1].datacenters[0].overrides.resources.request: Invalid: "request" is not a field that the regional operator knows here. Did you mean "requests"?',
    ],
  },
]);
