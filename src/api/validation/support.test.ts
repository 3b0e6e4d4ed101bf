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
]);
