#!/bin/sh
# Sallyport: the host of edge.example.org.
# Others connect to the edge's port, and what is marked optional; this host opens none. Everything else is dropped.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny incoming
ufw default deny outgoing
ufw default deny routed
# in before.rules: host-in-loopback: the admin address and local checks, within this host
# in before.rules: host-in-established: packets of connections that a rule below let be opened
# in before.rules: host-in-icmp-errors: path MTU discovery and unreachable errors of these connections
# in before.rules: host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# in before.rules: host-in-neighbours: IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host
# in before.rules: host-in-listeners: switches ask who listens before they pass neighbour discovery on
ufw allow in proto tcp from 0.0.0.0/0 to 192.0.2.10 port 8443 comment 'host-in-clients-to-192-0-2-10-8443: devices and backends reach the one port'
ufw allow in proto tcp from ::/0 to 2001:db8::10 port 8443 comment 'host-in-clients-to-2001-db8--10-8443: devices and backends reach the one port'
ufw allow in proto tcp from 10.0.9.7 to 192.0.2.10 port 9443 comment 'host-in-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it'
# in before.rules: host-out-loopback: the admin address and local checks, within this host
# in before.rules: host-out-established: answers on connections that others opened, and nothing else
# in before.rules: host-out-neighbours: IPv6 has no ARP: without neighbour discovery this host finds no router
# in before.rules: host-out-listeners: tells switches which groups this host listens to, for neighbour discovery
