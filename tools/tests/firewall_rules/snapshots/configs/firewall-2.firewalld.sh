#!/bin/sh
# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.
# FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.
set -eu
run() { ${FIREWALL_CMD:-firewall-cmd --permanent} "$@" >/dev/null; }

run --delete-policy=sallyport-fw2 2>/dev/null || true
run --new-policy=sallyport-fw2
run --policy=sallyport-fw2 --set-target=DROP
run --policy=sallyport-fw2 --add-ingress-zone=ANY
run --policy=sallyport-fw2 --add-egress-zone=ANY
# by firewalld itself: fw2-established: packets of connections that a rule below let be opened
# by firewalld itself: fw2-icmp-errors: path MTU discovery and unreachable errors of these connections
# by firewalld itself: fw2-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# fw2-clients-to-192-0-2-10-8443: devices reach the edge on its one port
run --policy=sallyport-fw2 --add-rich-rule='rule family="ipv4" destination address="192.0.2.10" port port="8443" protocol="tcp" accept'
# fw2-clients-to-2001-db8--10-8443: devices reach the edge on its one port
run --policy=sallyport-fw2 --add-rich-rule='rule family="ipv6" destination address="2001:db8::10" port port="8443" protocol="tcp" accept'

# Then, where the daemon runs:
#   firewall-cmd --reload
