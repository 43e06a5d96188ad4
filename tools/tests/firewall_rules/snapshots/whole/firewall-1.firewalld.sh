#!/bin/sh
# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port, and what is marked optional. Everything else that would pass is dropped.
# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.
# FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.
set -eu
run() { ${FIREWALL_CMD:-firewall-cmd --permanent} "$@" >/dev/null; }

run --delete-policy=sallyport-fw1 2>/dev/null || true
run --new-policy=sallyport-fw1
run --policy=sallyport-fw1 --set-target=DROP
run --policy=sallyport-fw1 --add-ingress-zone=ANY
run --policy=sallyport-fw1 --add-egress-zone=ANY
# by firewalld itself: fw1-established: packets of connections that a rule below let be opened
# by firewalld itself: fw1-icmp-errors: path MTU discovery and unreachable errors of these connections
# by firewalld itself: fw1-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# fw1-hq-to-192-0-2-10-8443: master hq dials the edge; the inside opens every connection
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv4" source address="10.0.0.11" destination address="192.0.2.10" port port="8443" protocol="tcp" accept'
# fw1-hq-to-2001-db8--10-8443: master hq dials the edge; the inside opens every connection
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv6" source address="2001:db8:1::11" destination address="2001:db8::10" port port="8443" protocol="tcp" accept'
# fw1-node-a-to-192-0-2-10-8443: storage node node-a dials the edge; the inside opens every connection
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv4" source address="10.0.0.12" destination address="192.0.2.10" port port="8443" protocol="tcp" accept'
# fw1-node-a-to-2001-db8--10-8443: storage node node-a dials the edge; the inside opens every connection
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv6" source address="2001:db8:1::12" destination address="2001:db8::10" port port="8443" protocol="tcp" accept'
# fw1-node-b-to-192-0-2-10-8443: storage node node-b dials the edge; the inside opens every connection
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv4" source address="10.0.0.13" destination address="192.0.2.10" port port="8443" protocol="tcp" accept'
# fw1-ssh-10-0-9-0-24-to-192-0-2-10-22: optional: administrators log in; the relay does not need it
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv4" source address="10.0.9.0/24" destination address="192.0.2.10" port port="22" protocol="tcp" accept'
# fw1-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it
run --policy=sallyport-fw1 --add-rich-rule='rule family="ipv4" source address="10.0.9.7" destination address="192.0.2.10" port port="9443" protocol="tcp" accept'

# Then, where the daemon runs:
#   firewall-cmd --reload
