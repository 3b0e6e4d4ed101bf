import { refused, us } from '../testing.ts';

refused([
  {
    title: 'another regional operator',
    change: { operator: 'CassOperator' },
    expected: ['spec.operator: NotYetSupported: Ringmaster does not drive CassOperator yet. Use CassKop.'],
  },
  {
    title: 'another regional operator in one region',
    change: us({ operator: 'CassOperator' }),
    expected: ['spec.regions[1].operator: NotYetSupported: Ringmaster does not drive CassOperator yet. Use CassKop.'],
  },
  {
    title: 'a region to be observed',
    change: us({ state: 'Observed' }),
    expected: [
      'spec.regions[1].state: NotYetSupported: Ringmaster does not watch regions that it does not write to yet. Use Managed.',
    ],
  },
]);
