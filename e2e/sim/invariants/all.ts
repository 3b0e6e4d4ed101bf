import { oneRegionAtATime, scaleDownIsAlone } from './disruption.ts';
import { nodesFormOneRing, oneRingIsFounded, onlyTheIgnitionPodFounds } from './founding.ts';
import type { Invariant } from './invariant.ts';
import { everythingComesRight, fixesAreDelivered, noHotLoops, writesStop } from './rest.ts';
import { podsStartWithTheFederationsSeeds, seedListsAreSound } from './seeds.ts';
import { adviceDoesNoHarm, nodesHoldTheirRows, readyIsTrue, removedHostsStayAway } from './truth.ts';
import {
  aDroppedRegionIsLeftAlone,
  deletesAreExact,
  nothingRecordedIsForgotten,
  onlyTheLatestWriterWrites,
  theFinalizerGoesLast,
  writesBuildOnTheLatestView,
} from './writes.ts';

/** Everything that is checked in every world. */
export const invariants: readonly Invariant[] = [
  oneRingIsFounded,
  oneRegionAtATime,
  writesBuildOnTheLatestView,
  seedListsAreSound,
  podsStartWithTheFederationsSeeds,
  nothingRecordedIsForgotten,
  deletesAreExact,
  scaleDownIsAlone,
  theFinalizerGoesLast,
  onlyTheLatestWriterWrites,
  everythingComesRight,
  writesStop,
  fixesAreDelivered,
  aDroppedRegionIsLeftAlone,
  onlyTheIgnitionPodFounds,
  nodesFormOneRing,
  removedHostsStayAway,
  readyIsTrue,
  adviceDoesNoHarm,
  nodesHoldTheirRows,
  noHotLoops,
];
