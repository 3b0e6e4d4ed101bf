#!/usr/bin/env bash
# Three kind clusters with CassKop, pods that reach each other by name, Ringmaster in the first, and a ring over all.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=e2e/kind/settings.sh
source e2e/kind/settings.sh
# shellcheck source=e2e/kind/commands.sh
source e2e/kind/commands.sh
read_flags "$@"
need docker kind kubectl helm

read -ra regions <<<"$REGIONS"
hub=${regions[0]}

cluster() { echo "ringmaster-$1"; }
context() { echo "kind-$(cluster "$1")"; }
# shellcheck source=e2e/kind/network.sh
source e2e/kind/network.sh

create_cluster() {
  local region=$1 number=$2
  if answer '' kind get clusters | grep -x "$(cluster "$region")" >/dev/null; then return; fi
  run_with "kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  podSubnet: 10.$((POD_BASE + number)).0.0/16
  serviceSubnet: 10.$((SERVICE_BASE + number)).0.0/16" \
    kind create cluster --name "$(cluster "$region")" --image "$KIND_NODE_IMAGE" --wait 5m --config -
}

install_casskop() {
  run helm --kube-context "$(context "$1")" upgrade --install casskop "$CASSKOP_CHART" --version "$CASSKOP_VERSION" \
    --namespace "$NAMESPACE" --create-namespace --wait --timeout 5m
}

install_ringmaster() {
  run helm --kube-context "$(context "$hub")" upgrade --install ringmaster deploy/helm/ringmaster \
    --namespace "$SYSTEM_NAMESPACE" --create-namespace --wait --timeout 5m \
    --set "image.repository=$RINGMASTER_IMAGE" --set "image.tag=$RINGMASTER_TAG" --set image.pullPolicy=Never \
    --set "hub.name=$hub" --set "hub.namespaces={$NAMESPACE}" --set "hub.regionNamespaces={$NAMESPACE}"
}

# Gives Ringmaster its rights in a region, and the hub a kubeconfig for it.
register_region() {
  local region=$1 roles token authority
  roles=$(answer '# the roles' docker run --rm "$RINGMASTER_IMAGE:$RINGMASTER_TAG" rbac region --namespace "$NAMESPACE")
  run_with "$roles" kubectl --context "$(context "$region")" apply -f -
  token=$(answer "TOKEN-$region" kubectl --context "$(context "$region")" -n "$SYSTEM_NAMESPACE" \
    create token ringmaster --duration 720h)
  authority=$(answer "AUTHORITY-$region" kubectl config view --raw --context "$(context "$region")" --minify \
    -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
  # On the network of kind, nodes are known by their names, and the API server's certificate is good for these.
  run_with_secret "apiVersion: v1
kind: Secret
metadata:
  name: $region
  namespace: $SYSTEM_NAMESPACE
  labels: {ringmaster.dev/kubeconfig: 'true'}
stringData:
  kubeconfig: |
    apiVersion: v1
    kind: Config
    current-context: $region
    contexts:
      - {name: $region, context: {cluster: $region, user: ringmaster}}
    clusters:
      - name: $region
        cluster:
          server: https://$(cluster "$region")-control-plane:6443
          certificate-authority-data: $authority
    users:
      - {name: ringmaster, user: {token: $token}}" kubectl --context "$(context "$hub")" apply --server-side -f -
}

step "The image of Ringmaster, from this checkout"
run docker build -f deploy/Dockerfile -t "$RINGMASTER_IMAGE:$RINGMASTER_TAG" .

step "One cluster for each region; their pods and Services have addresses of their own"
for number in "${!regions[@]}"; do create_cluster "${regions[$number]}" "$number"; done
run kind load docker-image "$RINGMASTER_IMAGE:$RINGMASTER_TAG" --name "$(cluster "$hub")"
find_nodes

step "Routes between the pods of all clusters, without another sender's address in between"
connect_pods

step "Names: each cluster answers for its region, and asks the others for theirs"
connect_names

step "CassKop, by its published chart"
for region in "${regions[@]}"; do install_casskop "$region"; done

step "Ringmaster in $hub, and what it needs of the others"
install_ringmaster
for region in "${regions[@]:1}"; do register_region "$region"; done

step "The ring"
run kubectl --context "$(context "$hub")" apply -f e2e/kind/orders.yaml
run kubectl --context "$(context "$hub")" -n "$NAMESPACE" wait "mcc/$FEDERATION" --for=condition=Ready --timeout=30m
run kubectl --context "$(context "$hub")" -n "$NAMESPACE" get mcc "$FEDERATION"
