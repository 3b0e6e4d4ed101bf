import { copiesAreWhatTheHubHolds, whatMembersNameIsThere } from './copies.ts';
import { oneRegionAtATime, scaleDownIsAlone } from './disruption.ts';
import { nodesFormOneRing, oneRingIsFounded, onlyTheIgnitionPodFounds } from './founding.ts';
import type { Invariant } from './invariant.ts';
import { alterationsKeepRows, keyspacesComeFirst } from './keyspaces.ts';
import {
  aRegionGoesWhenItsNodesHaveLeft,
  keyspacesLeaveFirst,
  nodesLeaveAsAsked,
  oneNodeLeavesAtATime,
  onlyTheDeadAreRemoved,
  rowsOutliveTheirRegion,
  whoeverWasGivenUpStaysOut,
  whoHasLeftDoesNotStart,
} from './leaving.ts';
import { onlyTheLeaderWrites } from './lease.ts';
import { everythingComesRight, fixesAreDelivered, noHotLoops, writesStop } from './rest.ts';
import { anObservedRegionIsLetBe } from './observed.ts';
import { nodesAreToldOnce, oneNodeIsAtIt } from './operations.ts';
import { podsStartWithTheFederationsSeeds, seedListsAreSound } from './seeds.ts';
import { adviceDoesNoHarm, adviceIsNeeded, nodesHoldTheirRows, readyIsTrue, removedHostsStayAway } from './truth.ts';
import {
  aDroppedRegionIsLeftAlone,
  deletesAreExact,
  nothingRecordedIsForgotten,
  onlyTheLatestWriterWrites,
  theFinalizerGoesLast,
  writesBuildOnTheLatestView,
  writesNameTheirVersion,
} from './writes.ts';

/** Everything that is checked in every world. Of those that break at one moment the first counts: causes before effects. */
export const invariants: readonly Invariant[] = [
  onlyTheIgnitionPodFounds,
  oneRingIsFounded,
  deletesAreExact,
  theFinalizerGoesLast,
  nodesLeaveAsAsked,
  aRegionGoesWhenItsNodesHaveLeft,
  onlyTheDeadAreRemoved,
  oneNodeLeavesAtATime,
  keyspacesLeaveFirst,
  whoeverWasGivenUpStaysOut,
  whoHasLeftDoesNotStart,
  aDroppedRegionIsLeftAlone,
  anObservedRegionIsLetBe,
  scaleDownIsAlone,
  onlyTheLeaderWrites,
  onlyTheLatestWriterWrites,
  writesBuildOnTheLatestView,
  writesNameTheirVersion,
  keyspacesComeFirst,
  alterationsKeepRows,
  whatMembersNameIsThere,
  oneRegionAtATime,
  nodesAreToldOnce,
  oneNodeIsAtIt,
  seedListsAreSound,
  nothingRecordedIsForgotten,
  adviceDoesNoHarm,
  adviceIsNeeded,
  removedHostsStayAway,
  nodesFormOneRing,
  fixesAreDelivered,
  podsStartWithTheFederationsSeeds,
  rowsOutliveTheirRegion,
  nodesHoldTheirRows,
  readyIsTrue,
  everythingComesRight,
  copiesAreWhatTheHubHolds,
  writesStop,
  noHotLoops,
];
