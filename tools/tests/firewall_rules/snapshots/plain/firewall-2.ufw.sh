#!/bin/sh
# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny routed
# in before.rules: fw2-established: packets of connections that a rule below let be opened
# in before.rules: fw2-icmp-errors: path MTU discovery and unreachable errors of these connections
ufw route allow proto tcp from 0.0.0.0/0 to 192.0.2.10 port 443 comment 'fw2-clients-to-192-0-2-10-443: devices reach the edge on its one port'
