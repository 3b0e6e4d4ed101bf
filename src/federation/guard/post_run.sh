#!/usr/bin/env bash
# Runs in CassKop's init container `bootstrap` after its run.sh. That script probes the seeds itself and makes the pod
# its own only seed when none answers; one that died after pre_run.sh saw it would thus start a second ring. A seed may
# also die after this script: what Cassandra does then is settled here as well.
set -euo pipefail

readonly marker=$CASSANDRA_CONF/.ringmaster-alone # written by pre_run.sh
readonly config=$CASSANDRA_CONF/cassandra.yaml
readonly environment=$CASSANDRA_CONF/cassandra-env.sh
readonly ours='# ringmaster guard' # ends the line that this script adds

# Set aside for documentation (RFC 5737), so no node ever has it. An address of a pod will not do, not even this pod's
# own: it may have been another member's before, whose place the node would then take.
readonly nobody=192.0.2.1

say() { printf 'ringmaster guard: %s\n' "$*"; }

# Whether the pod was ever proven NORMAL in the ring.
has_joined() {
  local name host_id found=
  while read -r name host_id _ || [[ $name ]]; do
    if [[ $name == "$pod" ]]; then found=$host_id; fi
  done < <(tr -d '\r' 2>/dev/null <"$CONFIGMAP/joined")
  [[ $found ]]
}

set_seeds() { sed -Ei "s/^([^#]*- seeds:).*/\1 \"$1\"/" "$config"; }

# Whether the seed $1 is this pod. Its name stands somewhere in its address; rack-1 is not rack-10.
is_itself() { [[ $1 == "${POD_IP:?}" || ($1 == *"$pod"* && ! ${1#*"$pod"} =~ ^[0-9]) ]]; }

# A node that is its own seed starts a ring when no seed answers any more, and skips the bootstrap when one does, so that
# it answers for rows it does not have. Any other gives up, and the kubelet starts it again; and it streams its rows first.
leave_itself_out() {
  local seed seeds=() others=()
  IFS=', ' read -r -a seeds <<<"$CASSANDRA_SEEDS"
  for seed in "${seeds[@]}"; do
    if [[ $seed ]] && ! is_itself "$seed"; then others+=("$seed"); fi
  done
  if ((${#others[@]} == ${#seeds[@]})); then return; fi
  if ((${#others[@]} == 0)); then
    say "$pod may not start: it has never joined, and is the only seed itself, so no other seed can have been live."
    exit 1
  fi
  local list
  printf -v list '%s,' "${others[@]}"
  set_seeds "${list%,}"
  say "$pod starts only while another seed answers it: its own list of seeds is ${list%,}"
}

# The init container does not mount the data. Cassandra ignores this option when its disk says that it has joined; with
# an empty disk it has to find the address in the ring, or else does not start.
refuse_empty_disk() {
  # shellcheck disable=SC2016 # for the script that Cassandra's start reads
  printf '\nJVM_OPTS="$JVM_OPTS -Dcassandra.replace_address_first_boot=%s" %s\n' "$nobody" "$ours" >>"$environment"
}

if [[ -e $CONFIGMAP/user_post_run.sh ]]; then bash "$CONFIGMAP/user_post_run.sh"; fi

pod=$(hostname)
alone=
if [[ -e $marker ]]; then alone=$(<"$marker"); fi
# What an earlier run of this container added in the same pod.
if [[ -e $environment ]]; then sed -i "/$ours\$/d" "$environment"; fi

configured=$(sed -n 's/^[^#]*- seeds:[[:space:]]*//p' "$config")
expected="\"${CASSANDRA_SEEDS:?}\""
if [[ $configured != "$expected" ]]; then
  if [[ ! $alone ]]; then
    say "$pod may not start: cassandra.yaml names the seeds ${configured:-(none)} instead of $expected," \
      'because no seed answered run.sh. The init container tries again.'
    exit 1
  fi
  # Members that all come back alone, each with a new address and only itself as seed, would never find each other
  # again: Cassandra asks seeds, and the addresses it has on disk. With itself among the seeds it starts all the same.
  if [[ $alone != founder ]]; then
    set_seeds "$CASSANDRA_SEEDS,${POD_IP:?}"
    say "$pod keeps looking for the other seeds while it runs."
  fi
fi

if [[ $alone == waited ]]; then refuse_empty_disk; fi
# A pod that has joined stays its own seed: not even with its data does Cassandra start while no node of its ring runs,
# unless it is one, and all nodes of a ring may crash at once.
if [[ ! $alone ]] && ! has_joined; then leave_itself_out; fi
