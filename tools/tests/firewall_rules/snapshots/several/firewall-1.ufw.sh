#!/bin/sh
# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port. Everything else that would pass is dropped.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny routed
# in before.rules: fw1-established: packets of connections that a rule below let be opened
# in before.rules: fw1-icmp-errors: path MTU discovery and unreachable errors of these connections
# in before.rules: fw1-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
ufw route allow proto tcp from 10.0.0.11 to 192.0.2.10 port 443 comment 'fw1-hq-10-0-0-11-to-192-0-2-10-443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.21 to 192.0.2.10 port 443 comment 'fw1-hq-10-0-0-21-to-192-0-2-10-443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.11 to 192.0.2.11 port 8443 comment 'fw1-hq-10-0-0-11-to-192-0-2-11-8443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.21 to 192.0.2.11 port 8443 comment 'fw1-hq-10-0-0-21-to-192-0-2-11-8443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.12 to 192.0.2.10 port 443 comment 'fw1-node-a-to-192-0-2-10-443: storage node node-a dials the edge; the inside opens every connection'
ufw route allow proto tcp from 10.0.0.12 to 192.0.2.11 port 8443 comment 'fw1-node-a-to-192-0-2-11-8443: storage node node-a dials the edge; the inside opens every connection'
ufw route allow proto tcp from 2001:db8:1::11 to 2001:db8::20 port 8443 comment 'fw1-hq-to-2001-db8--20-8443: master hq dials the edge; the inside opens every connection'
ufw route allow proto tcp from 2001:db8:1::12 to 2001:db8::20 port 8443 comment 'fw1-node-a-to-2001-db8--20-8443: storage node node-a dials the edge; the inside opens every connection'
