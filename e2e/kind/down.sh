#!/usr/bin/env bash
# Removes the clusters that up.sh made.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/kind/settings.sh
source e2e/kind/settings.sh
# shellcheck source=e2e/kind/commands.sh
source e2e/kind/commands.sh
read_flags "$@"
need kind

read -ra regions <<<"$REGIONS"
for region in "${regions[@]}"; do run kind delete cluster --name "ringmaster-$region"; done
