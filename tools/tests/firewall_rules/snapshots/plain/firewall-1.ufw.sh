#!/bin/sh
# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny routed
# in before.rules: fw1-established: packets of connections that a rule below let be opened
# in before.rules: fw1-icmp-errors: path MTU discovery and unreachable errors of these connections
ufw route allow proto tcp from 10.0.0.11 to 192.0.2.10 port 443 comment 'fw1-master-to-192-0-2-10-443: the master dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.12 to 192.0.2.10 port 443 comment 'fw1-node-10-0-0-12-to-192-0-2-10-443: storage node node-10-0-0-12 dials the edge; the inside opens every connection'
