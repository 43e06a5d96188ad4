#!/bin/sh
# Sallyport: the host of a.
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
ufw allow in proto tcp from 198.51.100.0/24 to 192.0.2.10 port 443 comment 'host-in-clients-198-51-100-0-24-to-192-0-2-10-443: devices reach the one port'
ufw allow in proto tcp from 203.0.113.0/24 to 192.0.2.10 port 443 comment 'host-in-clients-203-0-113-0-24-to-192-0-2-10-443: devices reach the one port'
ufw allow in proto tcp from 10.0.0.11 to 192.0.2.10 port 443 comment 'host-in-hq-10-0-0-11-to-192-0-2-10-443: master hq dials the edge'
ufw allow in proto tcp from 10.0.0.21 to 192.0.2.10 port 443 comment 'host-in-hq-10-0-0-21-to-192-0-2-10-443: master hq dials the edge'
ufw allow in proto tcp from 10.0.0.11 to 192.0.2.11 port 8443 comment 'host-in-hq-10-0-0-11-to-192-0-2-11-8443: master hq dials the edge'
ufw allow in proto tcp from 10.0.0.21 to 192.0.2.11 port 8443 comment 'host-in-hq-10-0-0-21-to-192-0-2-11-8443: master hq dials the edge'
ufw allow in proto tcp from 10.0.0.12 to 192.0.2.10 port 443 comment 'host-in-node-a-to-192-0-2-10-443: storage node node-a dials the edge'
ufw allow in proto tcp from 10.0.0.12 to 192.0.2.11 port 8443 comment 'host-in-node-a-to-192-0-2-11-8443: storage node node-a dials the edge'
# in before.rules: host-out-loopback: the admin address and local checks, within this host
# in before.rules: host-out-established: answers on connections that others opened, and nothing else
