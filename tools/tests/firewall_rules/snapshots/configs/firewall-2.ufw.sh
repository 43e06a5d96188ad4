#!/bin/sh
# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny routed
# in before.rules: fw2-established: packets of connections that a rule below let be opened
# in before.rules: fw2-icmp-errors: path MTU discovery and unreachable errors of these connections
# in before.rules: fw2-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
ufw route allow proto tcp from 0.0.0.0/0 to 192.0.2.10 port 8443 comment 'fw2-clients-to-192-0-2-10-8443: devices reach the edge on its one port'
ufw route allow proto tcp from ::/0 to 2001:db8::10 port 8443 comment 'fw2-clients-to-2001-db8--10-8443: devices reach the edge on its one port'
