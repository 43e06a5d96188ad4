#!/bin/sh
# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port, and what is marked optional. Everything else that would pass is dropped.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny routed
# in before.rules: fw1-established: packets of connections that a rule below let be opened
# in before.rules: fw1-icmp-errors: path MTU discovery and unreachable errors of these connections
# in before.rules: fw1-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
ufw route allow proto tcp from 10.0.0.11 to 192.0.2.10 port 8443 comment 'fw1-hq-to-192-0-2-10-8443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 2001:db8:1::11 to 2001:db8::10 port 8443 comment 'fw1-hq-to-2001-db8--10-8443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.12 to 192.0.2.10 port 8443 comment 'fw1-node-a-to-192-0-2-10-8443: storage node node-a dials the edge; the inside opens every connection'
ufw route allow proto tcp from 2001:db8:1::12 to 2001:db8::10 port 8443 comment 'fw1-node-a-to-2001-db8--10-8443: storage node node-a dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.13 to 192.0.2.10 port 8443 comment 'fw1-node-b-to-192-0-2-10-8443: storage node node-b dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.9.0/24 to 192.0.2.10 port 22 comment 'fw1-ssh-10-0-9-0-24-to-192-0-2-10-22: optional: administrators log in; the relay does not need it'
ufw route allow proto tcp from 10.0.9.7 to 192.0.2.10 port 9443 comment 'fw1-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it'
