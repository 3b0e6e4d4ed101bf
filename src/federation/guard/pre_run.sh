#!/usr/bin/env bash
# Runs in CassKop's init container `bootstrap` before its run.sh, which lets a pod that reaches no seed start a ring of
# its own. This script returns only when a seed of our ring answers, or when this pod may start without one; until then
# it loops, because leaving would cost the init container's back-off.
set -euo pipefail

readonly marker=$CASSANDRA_CONF/.ringmaster-alone # read by post_run.sh
readonly curl=${CASSANDRA_TOOLS:-/opt/bin}/curl
readonly mbean=org.apache.cassandra.db:type=StorageService
readonly round_seconds=2
readonly repeat_report_seconds=30
readonly connect_seconds=3
readonly answer_seconds=5
readonly answer_bytes=65536
readonly default_wait_seconds=600

say() { printf 'ringmaster guard: %s\n' "$*"; }

# Seconds since boot: the wall clock may jump, and a jump must not end the wait.
uptime_seconds() {
  local uptime
  read -r uptime _ </proc/uptime
  echo "${uptime%%.*}"
}

# The ConfigMap's key $1, or nothing. It changes while this script runs.
configured() { cat "$CONFIGMAP/$1" 2>/dev/null || true; }

read_guard() {
  local name value
  ignition=() joined=() joined_ids=()
  while read -r name value _ || [[ $name ]]; do
    if [[ $name ]]; then ignition["$name"]=$value; fi
  done < <(configured ignition | tr -d '\r')
  while read -r name value _ || [[ $name ]]; do
    if [[ $name ]]; then joined["$name"]=$value; fi
    if [[ $value ]]; then joined_ids["$value"]=$name; fi
  done < <(configured joined | tr -d '\r')
  closed=()
  while read -r name _ || [[ $name ]]; do
    if [[ $name ]]; then closed["$name"]=closed; fi
  done < <(configured closed | tr -d '\r')
  wait_seconds=$(configured guard_wait_seconds | tr -d '[:space:]')
  if [[ ! $wait_seconds =~ ^[0-9]{1,9}$ ]]; then wait_seconds=$default_wait_seconds; fi
  wait_seconds=$((10#$wait_seconds))
}

# $1: `founder`; `member` for a pod that joined before; `waited` for one that is not the only one to have joined, and
# found no seed. post_run.sh reads it. $2: why.
pass_alone() {
  say "$pod starts without a seed: $2"
  echo "$1" >"$marker"
  exit 0
}

# Credentials go in through stdin: arguments are visible to every process of the pod.
credentials() {
  local login="${JOLOKIA_USER:-}:${JOLOKIA_PASSWORD:-}"
  if [[ ${JOLOKIA_USER:-} ]]; then
    login=${login//\\/\\\\}
    printf 'user = "%s"\n' "${login//\"/\\\"}"
  fi
}

# The HTTP answer, headers included, of the node at address $1; the exit status is curl's.
ask() {
  credentials | "$curl" --disable --config - --silent --include --noproxy '*' \
    --connect-timeout "$connect_seconds" --max-time "$answer_seconds" \
    "http://$1:8778/jolokia/read/$mbean/OperationMode,ClusterName,LocalHostId,JoiningNodes" 2>/dev/null |
    head -c "$answer_bytes" | tr -d '\000\r'
}

# The string attribute $1 of the answer's value object $2. A quote inside a JSON string is always escaped, so a key
# with bare quotes is a key and not text.
attribute() {
  if [[ $2 =~ (^|,)[[:space:]]*\"$1\"[[:space:]]*:[[:space:]]*\"([^\"\\]*)\" ]]; then echo "${BASH_REMATCH[2]}"; fi
}

# Prints `live`, or why the node at address $1 does not count as a seed.
examine() {
  local answer code=0 http value rest mode cluster host_id
  answer=$(ask "$1") || code=$?
  case $code in
    0) ;;
    6) echo 'no such name'; return ;;
    7) echo 'connection refused or no route'; return ;;
    28) echo 'timed out'; return ;;
    126 | 127) echo "$curl cannot be run"; return ;;
    *) echo "no HTTP answer (curl error $code)"; return ;;
  esac
  if [[ ! $answer =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]]; then echo 'no HTTP answer'; return; fi
  http=${BASH_REMATCH[1]}
  if [[ $http != 200 ]]; then echo "HTTP $http"; return; fi
  answer=${answer#*$'\n\n'}
  if [[ ! $answer =~ ^\{.*\"value\"[[:space:]]*:[[:space:]]*\{([^{}]*)\}.*\}[[:space:]]*$ ]]; then
    echo 'not answering as Cassandra (starting, or another program)'
    return
  fi
  value=${BASH_REMATCH[1]}
  rest=${answer/"{$value}"/}
  if [[ ! $rest =~ [,{][[:space:]]*\"status\"[[:space:]]*:[[:space:]]*200[[:space:]]*[,}] ]]; then
    echo 'Jolokia reports an error'
    return
  fi
  mode=$(attribute OperationMode "$value")
  cluster=$(attribute ClusterName "$value")
  host_id=$(attribute LocalHostId "$value")
  if [[ $cluster != "${CASSANDRA_CLUSTER_NAME:-}" || ! $cluster ]]; then
    echo "it belongs to the cluster '$cluster', ours is '${CASSANDRA_CLUSTER_NAME:-}'"
  elif [[ $mode != NORMAL ]]; then
    echo "its mode is '$mode', not NORMAL"
  elif [[ ! ($host_id && ${joined_ids["$host_id"]:-}) ]] && ! { ((${#joined[@]} == 0)) && is_ignition_address "$1"; }; then
    echo "its host ID '$host_id' is not known to be of this ring"
  elif [[ ! $member && $value =~ \"JoiningNodes\"[[:space:]]*:[[:space:]]*\[[[:space:]]*[^][:space:]] ]]; then
    # Cassandra would refuse to start, and the container's back-off would cost more than the wait.
    echo 'a node is joining, and they join one at a time'
  else
    echo live
  fi
}

# Whether a pod is to start the ring at address $1. It is never this one, which would have passed already.
is_ignition_address() {
  local address
  for address in "${ignition[@]}"; do
    if [[ $address == "$1" ]]; then return 0; fi
  done
  return 1
}

# Asks all seeds at once, so that one that swallows packets does not hide the others. Sets `report`; ends the script
# if one is live.
try_seeds() {
  local seeds=() answers=() fd index verdict
  IFS=', ' read -r -a seeds <<<"${CASSANDRA_SEEDS:-}"
  report=
  for index in "${!seeds[@]}"; do
    exec {fd}< <(examine "${seeds[index]}" 2>/dev/null)
    answers[index]=$fd
  done
  for index in "${!seeds[@]}"; do
    fd=${answers[index]}
    verdict=
    read -r verdict <&"$fd" || true
    exec {fd}<&-
    if [[ $verdict == live ]]; then
      say "$pod joins: ${seeds[index]} is NORMAL in the ring of ${CASSANDRA_CLUSTER_NAME}"
      exit 0
    fi
    report+="${report:+; }${seeds[index]}: ${verdict:-no verdict}"
  done
  if [[ ! $report ]]; then report='CASSANDRA_SEEDS is empty'; fi
}

rm -f "$marker"
if [[ -e $CONFIGMAP/user_pre_run.sh ]]; then bash "$CONFIGMAP/user_pre_run.sh"; fi

declare -A ignition joined joined_ids closed
pod=$(hostname)
started=$(uptime_seconds)
said='' said_at=0 report='' wait_seconds=$default_wait_seconds
while true; do
  read_guard
  if [[ ${closed["$pod"]:-} || ${closed['*']:-} ]]; then
    if [[ $said != closed ]]; then say "$pod does not start: it has left the ring, or is not to join it any more"; fi
    said=closed
    sleep "$round_seconds"
    continue
  fi
  member=
  if [[ ${joined["$pod"]:-} ]]; then member=member; fi
  if [[ ${ignition["$pod"]+chosen} ]]; then pass_alone "${member:-founder}" 'it is chosen to start the ring'; fi
  if [[ $member ]] && ((${#joined[@]} == 1)); then pass_alone member 'it is the only pod of the ring'; fi
  try_seeds
  now=$(uptime_seconds)
  if [[ $member ]] && ((now - started >= wait_seconds)); then
    say "no seed is live after $((now - started)) s: $report"
    pass_alone waited 'it has joined the ring before; Cassandra refuses if its disk is empty'
  fi
  if [[ $report != "$said" ]] || ((now - said_at >= repeat_report_seconds)); then
    if [[ $member ]]; then limit="for ${wait_seconds} s at most"; else limit='as long as it takes, it never joined'; fi
    say "$pod waits for a live seed ($limit; $((now - started)) s so far). $report"
    said=$report said_at=$now
  fi
  sleep "$round_seconds"
done
