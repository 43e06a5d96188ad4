#!/bin/sh
# Sallyport: the host of edge-192-0-2-10.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.
# FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.
set -eu
run() { ${FIREWALL_CMD:-firewall-cmd --permanent} "$@" >/dev/null; }

run --delete-zone=sallyport-edge 2>/dev/null || true
run --new-zone=sallyport-edge
run --zone=sallyport-edge --set-target=DROP
# by firewalld itself: host-in-loopback: the admin address and local checks, within this host
# by firewalld itself: host-in-established: packets of connections that a rule below let be opened
# by firewalld itself: host-in-icmp-errors: path MTU discovery and unreachable errors of these connections
# host-in-clients-to-192-0-2-10-443: devices and backends reach the one port
run --zone=sallyport-edge --add-rich-rule='rule family="ipv4" destination address="192.0.2.10" port port="443" protocol="tcp" accept'

run --delete-policy=sallyport-out 2>/dev/null || true
run --new-policy=sallyport-out
run --policy=sallyport-out --set-target=DROP
run --policy=sallyport-out --add-ingress-zone=HOST
run --policy=sallyport-out --add-egress-zone=ANY
# by firewalld itself: host-out-loopback: the admin address and local checks, within this host
# by firewalld itself: host-out-established: answers on connections that others opened, and nothing else

# Then, where the daemon runs:
#   firewall-cmd --set-default-zone=sallyport-edge
#   firewall-cmd --reload
