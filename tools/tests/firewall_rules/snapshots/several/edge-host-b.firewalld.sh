#!/bin/sh
# Sallyport: the host of b.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv4 address: IPv4 is dropped altogether.
# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.
# FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.
set -eu
run() { ${FIREWALL_CMD:-firewall-cmd --permanent} "$@" >/dev/null; }

run --delete-zone=sallyport-edge 2>/dev/null || true
run --new-zone=sallyport-edge
run --zone=sallyport-edge --set-target=DROP
# by firewalld itself: host-in-loopback: the admin address and local checks, within this host
# by firewalld itself: host-in-established: packets of connections that a rule below let be opened
# by firewalld itself: host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# host-in-neighbours: IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="router-advertisement" accept'
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-solicitation" accept'
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-advertisement" accept'
# host-in-listeners: switches ask who listens before they pass neighbour discovery on
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="mld-listener-query" accept' || echo 'left out: this firewalld does not know the type' >&2
# host-in-clients-2001-db8-ff---48-to-2001-db8--20-8443: devices reach the one port
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" source address="2001:db8:ff::/48" destination address="2001:db8::20" port port="8443" protocol="tcp" accept'
# host-in-hq-to-2001-db8--20-8443: master hq dials the edge
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" source address="2001:db8:1::11" destination address="2001:db8::20" port port="8443" protocol="tcp" accept'
# host-in-node-a-to-2001-db8--20-8443: storage node node-a dials the edge
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" source address="2001:db8:1::12" destination address="2001:db8::20" port port="8443" protocol="tcp" accept'

run --delete-policy=sallyport-out 2>/dev/null || true
run --new-policy=sallyport-out
run --policy=sallyport-out --set-target=DROP
run --policy=sallyport-out --add-ingress-zone=HOST
run --policy=sallyport-out --add-egress-zone=ANY
# by firewalld itself: host-out-loopback: the admin address and local checks, within this host
# by firewalld itself: host-out-established: answers on connections that others opened, and nothing else
# host-out-neighbours: IPv6 has no ARP: without neighbour discovery this host finds no router
run --policy=sallyport-out --add-rich-rule='rule family="ipv6" icmp-type name="router-solicitation" accept'
run --policy=sallyport-out --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-solicitation" accept'
run --policy=sallyport-out --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-advertisement" accept'
# host-out-listeners: tells switches which groups this host listens to, for neighbour discovery
run --policy=sallyport-out --add-rich-rule='rule family="ipv6" icmp-type name="mld-listener-report" accept' || echo 'left out: this firewalld does not know the type' >&2
run --policy=sallyport-out --add-rich-rule='rule family="ipv6" icmp-type name="mld2-listener-report" accept' || echo 'left out: this firewalld does not know the type' >&2

# Then, where the daemon runs:
#   firewall-cmd --set-default-zone=sallyport-edge
#   firewall-cmd --reload
