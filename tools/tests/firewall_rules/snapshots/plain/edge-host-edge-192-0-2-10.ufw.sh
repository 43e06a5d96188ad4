#!/bin/sh
# Sallyport: the host of edge-192-0-2-10.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny incoming
ufw default deny outgoing
ufw default deny routed
# in before.rules: host-in-loopback: the admin address and local checks, within this host
# in before.rules: host-in-established: packets of connections that a rule below let be opened
# in before.rules: host-in-icmp-errors: path MTU discovery and unreachable errors of these connections
ufw allow in proto tcp from 0.0.0.0/0 to 192.0.2.10 port 443 comment 'host-in-clients-to-192-0-2-10-443: devices and backends reach the one port'
# in before.rules: host-out-loopback: the admin address and local checks, within this host
# in before.rules: host-out-established: answers on connections that others opened, and nothing else
