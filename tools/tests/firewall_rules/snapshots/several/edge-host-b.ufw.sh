#!/bin/sh
# Sallyport: the host of b.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv4 address: IPv4 is dropped altogether.
# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those
# lines out of before.rules and before6.rules, which hold the rules that are comments here.
set -eu
ufw default deny incoming
ufw default deny outgoing
ufw default deny routed
# in before.rules: host-in-loopback: the admin address and local checks, within this host
# in before.rules: host-in-established: packets of connections that a rule below let be opened
# in before.rules: host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# in before.rules: host-in-neighbours: IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host
# in before.rules: host-in-listeners: switches ask who listens before they pass neighbour discovery on
ufw allow in proto tcp from 2001:db8:ff::/48 to 2001:db8::20 port 8443 comment 'host-in-clients-2001-db8-ff---48-to-2001-db8--20-8443: devices reach the one port'
ufw allow in proto tcp from 2001:db8:1::11 to 2001:db8::20 port 8443 comment 'host-in-hq-to-2001-db8--20-8443: master hq dials the edge'
ufw allow in proto tcp from 2001:db8:1::12 to 2001:db8::20 port 8443 comment 'host-in-node-a-to-2001-db8--20-8443: storage node node-a dials the edge'
# in before.rules: host-out-loopback: the admin address and local checks, within this host
# in before.rules: host-out-established: answers on connections that others opened, and nothing else
# in before.rules: host-out-neighbours: IPv6 has no ARP: without neighbour discovery this host finds no router
# in before.rules: host-out-listeners: tells switches which groups this host listens to, for neighbour discovery
