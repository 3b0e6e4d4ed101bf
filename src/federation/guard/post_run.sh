#!/usr/bin/env bash
# Runs in CassKop's init container `bootstrap` after its run.sh. That script probes the seeds itself and makes the pod
# its own only seed when none answers; one that died after pre_run.sh saw it would thus start a second ring.
set -euo pipefail

readonly marker=$CASSANDRA_CONF/.ringmaster-alone # written by pre_run.sh
readonly config=$CASSANDRA_CONF/cassandra.yaml

say() { printf 'ringmaster guard: %s\n' "$*"; }

if [[ -e $CONFIGMAP/user_post_run.sh ]]; then bash "$CONFIGMAP/user_post_run.sh"; fi

configured=$(sed -n 's/^[^#]*- seeds:[[:space:]]*//p' "$config")
expected="\"${CASSANDRA_SEEDS:?}\""
if [[ $configured == "$expected" ]]; then exit 0; fi

if [[ ! -e $marker ]]; then
  say "$(hostname) may not start: cassandra.yaml names the seeds ${configured:-(none)} instead of $expected," \
    'because no seed answered run.sh. The init container tries again.'
  exit 1
fi

# Members that all come back alone, each with a new address and only itself as seed, would never find each other
# again: Cassandra asks seeds, and the addresses it has on disk. With itself among the seeds it starts all the same.
if [[ $(<"$marker") == member ]]; then
  sed -ri "s/- seeds:.*/- seeds: \"$CASSANDRA_SEEDS,${POD_IP:?}\"/" "$config"
  say "$(hostname) keeps looking for the other seeds while it runs."
fi
