# shellcheck shell=bash
# Makes one network of several kind clusters. All their nodes are on one Docker network, so a route is enough for pods;
# for names, each cluster's CoreDNS forwards the zones of the others. Uses `cluster` and `context` of up.sh.
: "${regions?up.sh sets it}"

# Lines "node podCIDR address", by the number of the region.
nodes=()

find_nodes() {
  local number context path
  path='{range .items[*]}{.metadata.name} {.spec.podCIDR} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}'
  for number in "${!regions[@]}"; do
    context=$(context "${regions[$number]}")
    nodes[number]=$(answer "$(cluster "${regions[$number]}")-control-plane CIDR-$number ADDRESS-$number" \
      kubectl --context "$context" get nodes -o "jsonpath=$path")
  done
}

connect_pods() {
  local from to name cidr address chain
  for from in "${!nodes[@]}"; do
    for to in "${!nodes[@]}"; do
      [[ $from == "$to" ]] && continue
      while read -r name _ _; do
        while read -r _ cidr address; do
          # Docker forgets both when the node is restarted; up.sh brings them back.
          run docker exec "$name" ip route replace "$cidr" via "$address" </dev/null
          # kind's own network replaces the sender's address of all that leaves the cluster, at the end of this chain.
          chain="KIND-MASQ-AGENT -d $cidr -j RETURN"
          run docker exec "$name" sh -c "iptables -t nat -C $chain || iptables -t nat -I $chain" </dev/null
        done <<<"${nodes[$to]}"
      done <<<"${nodes[$from]}"
    done
  done
}

# The server blocks that the CoreDNS of a region needs besides its own; the region is given by its number.
zones_of() {
  local number other address
  for number in "${!regions[@]}"; do
    other=${regions[$number]}
    if [[ $number == "$1" ]]; then
      cat <<END
$other.$ZONE:53 {
    errors
    rewrite stop {
        name regex (.+)\\.$other\\.${ZONE//./\\.} {1}.$FEDERATION.$NAMESPACE.svc.cluster.local
        answer name (.+)\\.$FEDERATION\\.$NAMESPACE\\.svc\\.cluster\\.local {1}.$other.$ZONE
    }
    kubernetes cluster.local {
        ttl 5
    }
}
END
    else
      # Every node has the port; the first one will do.
      read -r _ _ address <<<"${nodes[$number]}"
      cat <<END
$other.$ZONE:53 {
    errors
    forward . $address:$DNS_NODE_PORT
}
END
    fi
  done
}

connect_names() {
  local region number corefile
  for region in "${regions[@]}"; do
    run_with "apiVersion: v1
kind: Service
metadata: {name: dns-for-other-clusters, namespace: kube-system}
spec:
  type: NodePort
  selector: {k8s-app: kube-dns}
  ports:
    - {name: dns, protocol: UDP, port: 53, targetPort: 53, nodePort: $DNS_NODE_PORT}
    - {name: dns-tcp, protocol: TCP, port: 53, targetPort: 53, nodePort: $DNS_NODE_PORT}" \
      kubectl --context "$(context "$region")" apply -f -
  done
  for number in "${!regions[@]}"; do
    region=${regions[$number]}
    corefile=$(answer '# the Corefile as it was' kubectl --context "$(context "$region")" -n kube-system \
      get configmap coredns -o 'jsonpath={.data.Corefile}')
    # What an earlier run appended is left out.
    corefile=$(sed '/^# zones of the regions$/,$d' <<<"$corefile")
    corefile+=$'\n'"# zones of the regions"$'\n'$(zones_of "$number")
    run_with "apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    ${corefile//$'\n'/$'\n'    }" kubectl --context "$(context "$region")" apply --server-side --force-conflicts -f -
    run kubectl --context "$(context "$region")" -n kube-system rollout restart deployment/coredns
    run kubectl --context "$(context "$region")" -n kube-system rollout status deployment/coredns --timeout=3m
  done
}
