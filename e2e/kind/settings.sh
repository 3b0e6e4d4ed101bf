# shellcheck shell=bash disable=SC2034  # read by the scripts that source this
# What may be set from outside, with its default and where that comes from.

# Names of the regions; the first one is the hub, too.
: "${REGIONS:=eu us ap}"

# Kubernetes as in the other tests here (1.36); image and digest from the notes of kind v0.33.0. Another kind needs the
# image of its own notes: https://github.com/kubernetes-sigs/kind/releases
: "${KIND_NODE_IMAGE:=kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed}"

# CassKop's chart, published by its workflow publish-helm-charts.yml under the name of the git tag; the chart takes the image
# of the same tag. 2.3.4 (2026-05-06) is the version that Ringmaster is tested with.
: "${CASSKOP_CHART:=oci://ghcr.io/cscetbon/casskop-helm}"
: "${CASSKOP_VERSION:=2.3.4}"

# Ringmaster's image, built here from deploy/Dockerfile.
: "${RINGMASTER_IMAGE:=ringmaster}"
: "${RINGMASTER_TAG:=kind}"

# Pods of region number n (from 0) are in 10.(POD_BASE + n).0.0/16, its Services in 10.(SERVICE_BASE + n).0.0/16.
: "${POD_BASE:=110}"
: "${SERVICE_BASE:=120}"

# Under which port of each node the DNS of its cluster answers the other clusters; of the range that Kubernetes gives NodePorts.
: "${DNS_NODE_PORT:=30053}"

# The zone in orders.yaml: a pod is <pod>.<region>.<zone>.
ZONE=db.test
# The MultiCassandraCluster of orders.yaml.
NAMESPACE=cassandra
FEDERATION=orders
SYSTEM_NAMESPACE=ringmaster-system
