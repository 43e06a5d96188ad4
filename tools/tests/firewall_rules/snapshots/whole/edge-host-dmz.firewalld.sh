#!/bin/sh
# Sallyport: the host of dmz.
# Others connect to the edge's port, and what is marked optional; this host opens none but for the time. Everything else is dropped.
# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.
# FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.
set -eu
run() { ${FIREWALL_CMD:-firewall-cmd --permanent} "$@" >/dev/null; }

run --delete-zone=sallyport-edge 2>/dev/null || true
run --new-zone=sallyport-edge
run --zone=sallyport-edge --set-target=DROP
# by firewalld itself: host-in-loopback: the admin address and local checks, within this host
# by firewalld itself: host-in-established: packets of connections that a rule below let be opened
# by firewalld itself: host-in-icmp-errors: path MTU discovery and unreachable errors of these connections
# by firewalld itself: host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish
# host-in-neighbours: IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="router-advertisement" accept'
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-solicitation" accept'
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="neighbour-advertisement" accept'
# host-in-listeners: switches ask who listens before they pass neighbour discovery on
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" icmp-type name="mld-listener-query" accept' || echo 'left out: this firewalld does not know the type' >&2
# host-in-clients-to-192-0-2-10-8443: devices and backends reach the one port
run --zone=sallyport-edge --add-rich-rule='rule family="ipv4" destination address="192.0.2.10" port port="8443" protocol="tcp" accept'
# host-in-clients-to-2001-db8--10-8443: devices and backends reach the one port
run --zone=sallyport-edge --add-rich-rule='rule family="ipv6" destination address="2001:db8::10" port port="8443" protocol="tcp" accept'
# host-in-ssh-10-0-9-0-24-to-192-0-2-10-22: optional: administrators log in; the relay does not need it
run --zone=sallyport-edge --add-rich-rule='rule family="ipv4" source address="10.0.9.0/24" destination address="192.0.2.10" port port="22" protocol="tcp" accept'
# host-in-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it
run --zone=sallyport-edge --add-rich-rule='rule family="ipv4" source address="10.0.9.7" destination address="192.0.2.10" port port="9443" protocol="tcp" accept'

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
# host-out-ntp-192-0-2-10-to-198-51-100-1-123: optional: NTP, all that the edge host ever opens; the relay does not need it
run --policy=sallyport-out --add-rich-rule='rule family="ipv4" source address="192.0.2.10" destination address="198.51.100.1" port port="123" protocol="udp" accept'

# Then, where the daemon runs:
#   firewall-cmd --set-default-zone=sallyport-edge
#   firewall-cmd --reload
