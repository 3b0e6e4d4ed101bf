#!/usr/bin/env bash
# Runs in CassKop's init container `bootstrap` after its run.sh. That script probes the seeds itself and makes the pod
# its own only seed when none answers; one that died after pre_run.sh saw it would thus start a second ring.
set -euo pipefail

if [[ -e $CONFIGMAP/user_post_run.sh ]]; then bash "$CONFIGMAP/user_post_run.sh"; fi

if [[ -e $CASSANDRA_CONF/.ringmaster-alone ]]; then exit 0; fi

configured=$(sed -n 's/^[^#]*- seeds:[[:space:]]*//p' "$CASSANDRA_CONF/cassandra.yaml")
if [[ ! ${CASSANDRA_SEEDS:-} || $configured != "\"$CASSANDRA_SEEDS\"" ]]; then
  echo "ringmaster guard: $(hostname) may not start: cassandra.yaml names the seeds ${configured:-(none)}" \
    "instead of \"${CASSANDRA_SEEDS:-}\", because no seed answered run.sh. The init container tries again."
  exit 1
fi
